mod json_suite;
