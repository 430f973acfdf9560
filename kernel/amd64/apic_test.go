package amd64

import (
	"math"
	"testing"
	"unsafe"
)

// fakeAPIC makes plain memory the page of the interrupt controller.
func fakeAPIC(t *testing.T) *[1024]uint32 {
	t.Helper()
	page := new([1024]uint32)
	old, features := apicAt, CPU
	apicAt, CPU = uintptr(unsafe.Pointer(page)), Features{}
	t.Cleanup(func() { apicAt, CPU = old, features; page[0] = 0 })
	return page
}

// TestTimer arms the timer for times near, far and past, and checks the count
// that it is given: the ticks until then, at most 2^31, and never none.
func TestTimer(t *testing.T) {
	page := fakeAPIC(t)
	for _, timer := range []Timer{
		{Hz: 1_000_000_000, TickHz: 1_000_000_000}, {Hz: 3_000_000_000, TickHz: 24_000_000}, {Hz: 2_000_000_000, TickHz: 62_500_000},
		{Hz: 5_000_000_000, TickHz: 1}, {Hz: 800_000_000, TickHz: 4_000_000_000},
	} {
		for _, ahead := range []uint64{1, 1000, timer.Hz / 1000, timer.Hz, 3600 * timer.Hz, 1 << 60, math.MaxUint64 / 2} {
			timer.Fired()
			before := TSC()
			timer.Arm(before + ahead)
			after := TSC()
			got := uint64(page[apicInitial/4])
			if got == 0 {
				t.Fatalf("%+v, %d ahead: stopped", timer, ahead)
			}
			// What is left when the count is written lies between these.
			ticks := func(d float64) float64 { return d * float64(timer.TickHz) / float64(timer.Hz) }
			least := min(ticks(float64(ahead)-float64(after-before)), 1<<31) - 1
			most := min(ticks(float64(ahead))+2, 1<<31)
			if float64(got) < least*(1-1e-9) || float64(got) > most*(1+1e-9)+1 {
				t.Errorf("%+v, %d ahead: %d ticks, want %.0f to %.0f", timer, ahead, got, least, most)
			}
		}
		timer.Arm(TSC() - 1000)
		if got := page[apicInitial/4]; got != 1 {
			t.Errorf("%+v: %d ticks to a time that has passed", timer, got)
		}
		timer.Arm(0)
		if got := page[apicInitial/4]; got != 0 {
			t.Errorf("%+v: %d ticks though disarmed", timer, got)
		}
	}
	// What is armed for the same time is left alone; once fired it is not.
	timer := Timer{Hz: 1e9, TickHz: 1e9}
	at := TSC() + 1e12
	timer.Arm(at)
	page[apicInitial/4] = 7
	timer.Arm(at)
	if page[apicInitial/4] != 7 {
		t.Error("armed anew for the same time")
	}
	timer.Fired()
	timer.Arm(at)
	if page[apicInitial/4] == 7 {
		t.Error("not armed after it had fired")
	}
}

// TestCommands checks the interrupt commands against the manual's figure 11-12.
func TestCommands(t *testing.T) {
	page := fakeAPIC(t)
	for _, test := range []struct {
		send func()
		apic uint32
		low  uint32
	}{
		{func() { SendIPI(7, VectorDoorbell) }, 7, 0x4041},
		{func() { SendINIT(254) }, 254, 0x4500},
		{func() { SendStartup(3, 0x9e) }, 3, 0x469e},
	} {
		test.send()
		if high, low := page[apicICRHigh/4], page[apicICRLow/4]; high != test.apic<<24 || low != test.low {
			t.Errorf("command %#x to %#x, want %#x to APIC %d", low, high, test.low, test.apic)
		}
	}
	page[apicID/4] = 0x2a << 24
	if APICID() != 0x2a {
		t.Errorf("this is APIC %#x", APICID())
	}
}
