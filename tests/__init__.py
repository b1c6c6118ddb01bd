"""The tests of relogin; they mirror its layout."""
