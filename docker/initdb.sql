-- Run once by the postgres image: Airflow's metadata lives apart from the warehouse.
create database airflow;
