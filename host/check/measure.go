package check

// measure returns the length of an instruction that x86asm does not know (the
// AVX ones, and those for FS base, SMAP, XSAVE and randomness), by the format
// of SDM 2A chapter 2; 0 if it is none of these. None of them changes the
// stack pointer or branches.
func measure(b []byte) int {
	at, rex := 0, false
	for at < len(b) && (b[at] == 0x66 || b[at] == 0xf2 || b[at] == 0xf3) {
		at++
	}
	if at < len(b) && b[at]&0xf0 == 0x40 {
		at, rex = at+1, true
	}
	switch {
	case at+2 < len(b) && b[at] == 0x0f && b[at+1] == 0x01 && b[at+2] >= 0xc0:
		return at + 3 // CLAC, STAC, RDTSCP, XGETBV, XSETBV…
	case at+1 < len(b) && b[at] == 0x0f && b[at+1] == 0x38:
		return operand(b, at+3, 0) // INVPCID, RDPID's kin, ADX, CRC
	case at+1 < len(b) && b[at] == 0x0f && b[at+1] == 0x3a:
		return operand(b, at+3, 1)
	case at+1 < len(b) && b[at] == 0x0f:
		switch b[at+1] {
		case 0xae, 0xc7, 0x0d, 0x18, 0x1e, 0x1f:
			return operand(b, at+2, 0) // RDFSBASE…, XSAVE…, RDRAND…, prefetches
		}
	case at+3 < len(b) && b[at] == 0xc5 && !rex:
		return operand(b, at+3, vexImmediate(1, b[at+2]))
	case at+4 < len(b) && b[at] == 0xc4 && !rex:
		return operand(b, at+4, vexImmediate(b[at+1]&0x1f, b[at+3]))
	case at+5 < len(b) && b[at] == 0x62 && !rex:
		return operand(b, at+6, vexImmediate(b[at+1]&0x07, b[at+5]))
	}
	return 0
}

// vexImmediate returns the size of the immediate of an AVX instruction of an
// opcode map.
func vexImmediate(opcodes, opcode byte) int {
	switch {
	case opcodes == 3:
		return 1
	case opcodes != 1:
		return 0
	case opcode >= 0x70 && opcode <= 0x73, opcode == 0xc2, opcode >= 0xc4 && opcode <= 0xc6:
		return 1
	case opcode == 0x77: // VZEROUPPER has no operand at all
		return -1
	}
	return 0
}

// operand returns the end of an instruction whose ModRM byte is at at, and
// which has an immediate of the size; -1 means no ModRM byte either.
func operand(b []byte, at, immediate int) int {
	if immediate < 0 {
		return at
	}
	if at >= len(b) {
		return 0
	}
	mode, rm := b[at]>>6, b[at]&7
	at++
	if mode != 3 && rm == 4 {
		if at >= len(b) {
			return 0
		}
		if b[at]&7 == 5 && mode == 0 {
			at += 4
		}
		at++
	} else if mode == 0 && rm == 5 {
		at += 4
	}
	switch mode {
	case 1:
		at++
	case 2:
		at += 4
	}
	if at += immediate; at > len(b) {
		return 0
	}
	return at
}

// vector says that an instruction begins with a VEX or EVEX prefix. These are
// measured though x86asm knows many: it takes VZEROUPPER for four bytes.
func vector(first byte) bool { return first == 0xc4 || first == 0xc5 || first == 0x62 }
