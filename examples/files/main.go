// Files walks the directories it is given (the current one if none) and prints
// size, SHA-256 sum and path of every file, in lexical order, then a total.
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	roots := os.Args[1:]
	if len(roots) == 0 {
		roots = []string{"."}
	}
	failed := false
	var files, bytes int64
	for _, root := range roots {
		filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && entry.Type().IsRegular() {
				var size int64
				var sum []byte
				if size, sum, err = digest(path); err == nil {
					fmt.Printf("%10d %x %s\n", size, sum[:8], path)
					files++
					bytes += size
				}
			}
			if err != nil {
				fmt.Fprintln(os.Stderr, "files:", err)
				failed = true
			}
			return nil
		})
	}
	fmt.Printf("%10d bytes in %d files\n", bytes, files)
	if failed {
		os.Exit(1)
	}
}

// digest reads a file to its end and returns its size and SHA-256 sum.
func digest(path string) (int64, []byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer file.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	return size, hash.Sum(nil), err
}
