package files

import "skerry/abi/linux"

// Mapping is what of a file can be mapped into memory.
type Mapping struct {
	// Offset is where the file's data begins in the boot archive, a multiple
	// of the page size, and Size its bytes.
	Offset, Size uint64
	// Zero says that there is no file behind: the memory reads as zero.
	Zero bool
}

// Mapping returns what mmap of a descriptor maps, or a negated error number.
// It is for private mappings, and for shared ones that are not writable.
func (f *Files) Mapping(fd int32) (Mapping, int64) {
	o := f.usable(fd)
	switch {
	case o == nil:
		return Mapping{}, -linux.EBADF
	case !o.readable():
		return Mapping{}, -linux.EACCES
	case o.kind == kindZero:
		return Mapping{Zero: true}, 0
	case o.kind == kindRegular:
		offset, size := f.archive.Data(archiveNode(o.node))
		return Mapping{Offset: offset, Size: size}, 0
	}
	return Mapping{}, -linux.ENODEV
}
