package agent_test

import (
	"testing"

	"skerry/lib/native"
	"skerry/lib/session"
	"skerry/service/monitor/agenttest"
	"skerry/service/monitor/wire"
)

// speaking starts a program that is given messages.
func (b *bench) speaking(t *testing.T, number uint32, path string, quota uint64) {
	t.Helper()
	info, err := (&native.Program{Path: path, Cwd: "/", Args: []string{path}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	b.Handle(&wire.Spawn{Program: number, Name: path, Info: info, Grants: wire.GrantMessages, Quota: quota})
}

// expectNoSession checks that nothing is left of sessions.
func (b *bench) expectNoSession(t *testing.T) {
	t.Helper()
	frames, taken, exchanges := b.kernel.Shares()
	if s := b.Memory(); frames+taken+exchanges != 0 || b.kernel.Faults() != 0 || s.Free != s.Size || b.Running() != 0 {
		t.Errorf("%d frames, %d capabilities, %d exchanges left, %d words written that were not mapped, %+v",
			frames, taken, exchanges, b.kernel.Faults(), s)
	}
}

// TestKilledAsleep: a program can be killed while the monitor has told it that it sleeps;
// the monitor then touches nothing of its session.
func TestKilledAsleep(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){"wait": func(*agenttest.Domain) {}})
	b.speaking(t, 5, "wait", 0)
	b.run(true)
	if !b.Announce(true) {
		t.Fatal("somebody has something to say")
	}
	b.Handle(&wire.Kill{Program: 5})
	b.Withdraw()
	b.run(true)
	b.expectNoSession(t)
}

// TestSessionIsPaidFor: what a session takes counts as its program's, and is refused
// beyond its quota.
func TestSessionIsPaidFor(t *testing.T) {
	b := newBench(map[string]func(*agenttest.Domain){"wait": func(*agenttest.Domain) {}})
	b.speaking(t, 5, "wait", 512<<10)
	b.run(true)
	expectLog(t, b, "failed 5: spawn wait: the domain's memory quota is used up")
	b.speaking(t, 6, "wait", 528<<10)
	b.run(true)
	b.Handle(&wire.QueryMemory{Request: 1})
	if m := b.answer.(*wire.MemoryAnswer).Memory; m.Given != 528<<10 || m.Total != m.Kernel+m.Free+m.Given+m.Monitor {
		t.Errorf("%+v", m)
	}
	b.Handle(&wire.Kill{Program: 6})
	b.run(true)
	if b.peak[6] != 528<<10 {
		t.Errorf("it held %d KiB", b.peak[6]>>10)
	}
	b.expectNoSession(t)
}

// TestDeaf: the monitor does not hear a program that does not read its answers, and
// so keeps only so many.
func TestDeaf(t *testing.T) {
	said := 0
	b := newBench(map[string]func(*agenttest.Domain){"deaf": func(d *agenttest.Domain) {
		for d.Say(session.KindExport, &session.Export{}) {
			said++
		}
	}})
	b.speaking(t, 5, "deaf", 0)
	b.run(true)
	if said == 0 || said > 300 {
		t.Errorf("%d messages were taken of one that reads no answer", said)
	}
	b.Handle(&wire.Kill{Program: 5})
	b.run(true)
	b.expectNoSession(t)
}

// TestLateEar: a program that reads nothing until the monitor hears it no more, though it
// has more to say, is heard when it reads: the monitor sleeps meanwhile, and has it ring.
func TestLateEar(t *testing.T) {
	said := 0
	b := newBench(map[string]func(*agenttest.Domain){"late": func(d *agenttest.Domain) {
		for said < 2000 && d.Say(session.KindExport, &session.Export{}) {
			said++
		}
	}})
	b.speaking(t, 5, "late", 0)
	b.run(true)
	d := b.kernel.Running()[0]
	for answers := 0; answers < 2000; {
		if !b.Announce(true) {
			t.Fatal("the monitor does not sleep while it waits for room")
		}
		before := answers
		for _, _, ok := d.Hear(); ok; _, _, ok = d.Hear() {
			answers++
		}
		if rings := d.Rings(); answers == before || !rings && said < 2000 {
			t.Fatalf("of %d messages %d were answered, and the monitor sleeps on", said, answers)
		}
		b.Withdraw()
		b.run(true)
	}
	b.Handle(&wire.Kill{Program: 5})
	b.run(true)
	b.expectNoSession(t)
}
