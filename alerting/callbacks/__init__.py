"""What providers tell us about messages and groups, put into effect through the same functions as everything."""
