package driver

import "skerry/abi"

// wordsOf returns the words of a message in registers.
func wordsOf(r *abi.Registers) [abi.MessageWords]uint64 {
	return [...]uint64{r.RSI, r.RDX, r.R10, r.R8, r.R9, r.RBX, r.R12, r.R13, r.R14, r.R15}
}

// setWords puts the words of a message into registers.
func setWords(r *abi.Registers, words *[abi.MessageWords]uint64) {
	r.RSI, r.RDX, r.R10, r.R8, r.R9 = words[0], words[1], words[2], words[3], words[4]
	r.RBX, r.R12, r.R13, r.R14, r.R15 = words[5], words[6], words[7], words[8], words[9]
}

// moveWords moves the first words of a message from registers to registers, and
// clears the others.
func moveWords(to, from *abi.Registers, words uint64) {
	to.RSI, to.RDX, to.R10, to.R8 = from.RSI, from.RDX, from.R10, from.R8
	if words > 4 {
		to.R9, to.RBX, to.R12, to.R13, to.R14, to.R15 = from.R9, from.RBX, from.R12, from.R13, from.R14, from.R15
	} else {
		to.R9, to.RBX, to.R12, to.R13, to.R14, to.R15 = 0, 0, 0, 0, 0, 0
	}
	if words != 4 {
		clearWords(to, words)
	}
}

// clearWords clears what is not among the first words of a message.
func clearWords(r *abi.Registers, words uint64) {
	switch words {
	case 0:
		r.RSI = 0
		fallthrough
	case 1:
		r.RDX = 0
		fallthrough
	case 2:
		r.R10 = 0
		fallthrough
	case 3:
		r.R8 = 0
		fallthrough
	case 4:
		r.R9 = 0
		fallthrough
	case 5:
		r.RBX = 0
		fallthrough
	case 6:
		r.R12 = 0
		fallthrough
	case 7:
		r.R13 = 0
		fallthrough
	case 8:
		r.R14 = 0
		fallthrough
	case 9:
		r.R15 = 0
	}
}
