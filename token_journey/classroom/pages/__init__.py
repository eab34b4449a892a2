"""The pages of a class: an overview for whoever teaches, and feedback for each who learns."""
