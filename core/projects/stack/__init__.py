"""What a project is made of: languages, frameworks, what kind of thing it is, infrastructure and databases."""
