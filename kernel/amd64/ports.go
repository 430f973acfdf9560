package amd64

// In16 reads a word from an I/O port.
func In16(port uint16) uint16

// Out32 writes a doubleword to an I/O port.
func Out32(port uint16, value uint32)
