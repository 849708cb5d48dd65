//! HDF5 snapshots of the original cascade-correlation program: read and written.
