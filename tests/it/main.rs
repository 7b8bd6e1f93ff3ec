//! The contract, row by row, against the built parts.
