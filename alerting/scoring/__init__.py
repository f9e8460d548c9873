"""What an alert looks like to somebody who knows this tenant's past: how unusual, how urgent, what helped before."""
