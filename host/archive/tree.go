package archive

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
)

// Bytes returns a regular file with the given contents, changed in 1970.
func Bytes(path string, perm fs.FileMode, contents []byte) File {
	return File{
		Path: path, Mode: perm.Perm(), Size: int64(len(contents)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(contents)), nil },
	}
}

// HostFile returns the regular file at the host's path name, to lie at target.
// Its contents are read when the archive is written.
func HostFile(name, target string) (File, error) {
	info, err := os.Stat(name)
	if err != nil {
		return File{}, fmt.Errorf("archive: %w", err)
	}
	if !info.Mode().IsRegular() {
		return File{}, fmt.Errorf("archive: %s is no regular file", name)
	}
	return hostFile(name, target, info), nil
}

func hostFile(name, target string, info fs.FileInfo) File {
	return File{
		Path: target, Mode: info.Mode(), ModTime: info.ModTime(), Size: info.Size(),
		Open: func() (io.ReadCloser, error) { return os.Open(name) },
	}
}

// AddTree appends to files the host's file or folder source, with all that lies
// in it, to lie at target ("/data"). Symbolic links stay links, whatever they
// point to, but for source itself. Sockets, devices and named pipes are an
// error: they cannot be carried over.
func AddTree(files []File, source, target string) ([]File, error) {
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	target = path.Join("/", target)
	err = filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, name)
		if err != nil {
			return err
		}
		at := path.Join(target, filepath.ToSlash(relative))
		switch info.Mode().Type() {
		case 0:
			files = append(files, hostFile(name, at, info))
		case fs.ModeDir:
			files = append(files, File{Path: at, Mode: info.Mode(), ModTime: info.ModTime()})
		case fs.ModeSymlink:
			link, err := os.Readlink(name)
			if err != nil {
				return err
			}
			files = append(files, File{Path: at, Mode: fs.ModeSymlink, ModTime: info.ModTime(), Target: link})
		default:
			return fmt.Errorf("%s is a %s: an archive holds files, folders and symbolic links", name, kind(info.Mode()))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("archive: %w", err)
	}
	return files, nil
}
