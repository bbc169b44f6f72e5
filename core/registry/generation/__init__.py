"""Files for providers' own agent formats, made from the agents of the database: build output, made again at will."""
