"""How values look while they arrive: as HTML, on a terminal, in plain lines. No I/O here."""
