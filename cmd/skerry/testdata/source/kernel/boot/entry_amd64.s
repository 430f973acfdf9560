TEXT ·entry(SB), 4, $0
	RET
