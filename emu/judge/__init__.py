"""Many runs, judged: the model of osmem says what is right."""
