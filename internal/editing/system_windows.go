package editing

import "os"

const openNoFollow = 0

// holdDirectory opens a directory, which keeps others from removing it.
func holdDirectory(path string) (*os.File, error) { return os.Open(path) }
