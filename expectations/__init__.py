"""What a good load is: suites, expectation classes, the gate that Great Expectations decides, and its report page."""
