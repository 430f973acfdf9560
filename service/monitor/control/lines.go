package control

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// maxLine is how long a line of a program may be on the console, in bytes:
// longer ones are cut and go on in the next line.
const maxLine = 1024

// lines cuts a stream of bytes into lines.
type lines struct {
	prefix string
	rest   []byte
}

// open says that a line has been begun.
func (l *lines) open() bool { return len(l.rest) > 0 }

// write calls line with each line that data completes, without its end.
func (l *lines) write(data []byte, line func([]byte)) {
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			l.rest = append(l.rest, data...)
			data = nil
		} else {
			l.rest = append(l.rest, data[:end]...)
			data = data[end+1:]
		}
		for len(l.rest) > maxLine {
			n := maxLine
			for n > maxLine-utf8.UTFMax && !utf8.RuneStart(l.rest[n]) {
				n--
			}
			line(l.rest[:n])
			l.rest = append(l.rest[:0], l.rest[n:]...)
		}
		if end >= 0 {
			line(bytes.TrimSuffix(l.rest, []byte("\r")))
			l.rest = l.rest[:0]
		}
	}
}

// alone says whether a program of the manifest is the only one on its core.
func (c *Control) alone(index int) bool {
	for i := range c.Manifest.Programs {
		if i != index && c.Manifest.Programs[i].Core == c.Manifest.Programs[index].Core {
			return false
		}
	}
	return true
}

// prefix sets what p's lines on the console begin with: the core, and the
// program unless it is alone there.
func (p *program) prefix(alone bool) {
	prefix := fmt.Sprintf("[core %d %s] ", p.core, p.name)
	if alone {
		prefix = fmt.Sprintf("[core %d] ", p.core)
	}
	p.out.prefix, p.err.prefix = prefix, prefix
}

// count returns "1 core", "2 cores".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
