"""The app in a browser: who may reach it, the server, and the app at the other end of each connection."""
