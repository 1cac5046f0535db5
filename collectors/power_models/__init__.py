"""What a server draws where no sensor says it: curves by family of processor, and coefficients of parts."""
