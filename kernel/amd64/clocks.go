package amd64

// MaskPIC silences the two legacy interrupt controllers, whose timer would
// otherwise arrive as vector 8 (Intel 8259A datasheet).
func MaskPIC() {
	Out(0x20, 0x11)
	Out(0xa0, 0x11)
	Out(0x21, 0xf0)
	Out(0xa1, 0xf8)
	Out(0x21, 4)
	Out(0xa1, 2)
	Out(0x21, 1)
	Out(0xa1, 1)
	Out(0x21, 0xff)
	Out(0xa1, 0xff)
}

const pmTimerHz = 3_579_545 // ACPI specification 4.8.3.3

// Calibrate measures the time-stamp counter and the interrupt controller's
// timer against the ACPI timer at a port, for about 10 ms.
func Calibrate(pmTimer uint16) (tscHz, tickHz uint64) {
	const span = pmTimerHz / 100
	apicWrite(apicInitial, 0xffff_ffff)
	start, tsc0 := samplePM(pmTimer)
	tick0 := apicRead(apicCurrent)
	for i := 0; i < 1<<22; i++ {
		Pause()
		if (In32(pmTimer)-start)&0xff_ffff >= span {
			break
		}
	}
	end, tsc1 := samplePM(pmTimer)
	tick1 := apicRead(apicCurrent)
	apicWrite(apicInitial, 0)
	d := uint64((end - start) & 0xff_ffff)
	if d == 0 {
		d = 1
	}
	return (tsc1 - tsc0) * pmTimerHz / d, uint64(tick0-tick1) * pmTimerHz / d
}

// samplePM reads both clocks at nearly the same moment: the pair of eight
// whose reading took the least time.
func samplePM(port uint16) (pm uint32, tsc uint64) {
	best := ^uint64(0)
	for range 8 {
		t0 := TSC()
		v := In32(port)
		t1 := TSC()
		if t1-t0 < best {
			best, pm, tsc = t1-t0, v, t0+(t1-t0)/2
		}
	}
	return pm, tsc
}

// WallClock reads the battery-backed clock: Unix time in seconds (Motorola
// MC146818 datasheet). It returns 0 if the clock does not settle.
func WallClock() int64 {
	read := func(r uint8) int {
		Out(0x70, r)
		return int(In(0x71))
	}
	for range 1000 {
		for i := 0; i < 100_000 && read(0xa)&0x80 != 0; i++ {
			Pause()
		}
		var t [6]int
		for i, r := range [6]uint8{0, 2, 4, 7, 8, 9} {
			t[i] = read(r)
		}
		if read(0xa)&0x80 != 0 || read(0) != t[0] {
			continue
		}
		format := read(0xb)
		pm := t[2]&0x80 != 0
		t[2] &= 0x7f
		if format&4 == 0 {
			for i := range t {
				t[i] = t[i]>>4*10 + t[i]&15
			}
		}
		if format&2 == 0 {
			t[2] %= 12
			if pm {
				t[2] += 12
			}
		}
		return unix(2000+t[5], t[4], t[3])*86400 + int64(t[2]*3600+t[1]*60+t[0])
	}
	return 0
}

// unix returns the days from 1970 to a date of the Gregorian calendar.
func unix(y, m, d int) int64 {
	if m <= 2 {
		y--
		m += 12
	}
	return int64(365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d - 1 - 719468)
}
