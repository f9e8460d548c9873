"""Mail: its look compiled from MJML, its attachments, its signed links, and addresses that are dead."""
