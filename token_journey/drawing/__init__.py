"""What pages share: their frame, colours and tables, and charts that Vega-Lite draws."""
