// Plot draws the first figure of the multikernel paper from what bench/update has
// printed: what one update of shared state takes, by locking memory and by asking a
// server, as cores are added.
//
//	plot -o FILE.svg [-title TEXT] [-suffix TEXT] < ROWS
//
// ROWS are lines NAME VALUE UNIT; of these it takes update_WAY_LINES_on_CORES, with that
// suffix if there is one, and ignores all others. All must have one unit.
package main

import (
	"bufio"
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

func main() {
	out := flag.String("o", "", "the SVG file to write")
	title := flag.String("title", "One update of shared state", "what stands above")
	suffix := flag.String("suffix", "", "how the names of rows end that are taken")
	flag.Parse()
	if *out == "" || !strings.HasSuffix(*out, ".svg") || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: plot -o FILE.svg [-title TEXT] [-suffix TEXT] < ROWS")
		os.Exit(2)
	}
	if err := run(os.Stdin, *out, *title, *suffix); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run(rows io.Reader, out, title, suffix string) error {
	figure, err := read(rows, suffix)
	if err != nil {
		return err
	}
	p, err := figure.draw(title)
	if err != nil {
		return err
	}
	return p.Save(16*vg.Centimeter, 11*vg.Centimeter, out)
}

// curve names one curve.
type curve struct {
	way   string
	lines int
}

// figure is what is to be drawn.
type figure struct {
	unit   string
	curves map[curve]plotter.XYs
}

// read takes the rows of updates whose names end with a suffix.
func read(rows io.Reader, suffix string) (*figure, error) {
	f := &figure{curves: make(map[curve]plotter.XYs)}
	scanner := bufio.NewScanner(rows)
	for scanner.Scan() {
		name, rest, _ := strings.Cut(scanner.Text(), " ")
		name, ok := strings.CutSuffix(name, suffix)
		if !ok {
			continue
		}
		c, cores, ok := parse(name)
		if !ok {
			continue
		}
		var value float64
		var unit string
		if _, err := fmt.Sscan(rest, &value, &unit); err != nil {
			return nil, fmt.Errorf("line %q: %w", scanner.Text(), err)
		}
		if f.unit == "" {
			f.unit = unit
		}
		if unit != f.unit {
			return nil, fmt.Errorf("line %q: its unit is not %s, as of the lines before", scanner.Text(), f.unit)
		}
		f.curves[c] = append(f.curves[c], plotter.XY{X: float64(cores), Y: value})
	}
	if len(f.curves) == 0 && scanner.Err() == nil {
		return nil, fmt.Errorf("there is no line update_WAY_LINES_on_CORES%s among the rows", suffix)
	}
	return f, scanner.Err()
}

// parse takes the name of a row apart. That of a spread is none.
func parse(name string) (c curve, cores int, ok bool) {
	fields := strings.Split(name, "_")
	if len(fields) != 5 || fields[0] != "update" || fields[3] != "on" {
		return c, 0, false
	}
	c.way = fields[1]
	if _, err := fmt.Sscanf(fields[2]+" "+fields[4], "%d %d", &c.lines, &cores); err != nil {
		return c, 0, false
	}
	return c, cores, fmt.Sprint(cores) == fields[4]
}

// String is how the legend calls a curve.
func (c curve) String() string {
	if c.lines == 1 {
		return c.way + ", 1 line"
	}
	return fmt.Sprintf("%s, %d lines", c.way, c.lines)
}

// draw makes the plot. Ways have colours, numbers of lines have shapes and dashes.
func (f *figure) draw(title string) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = "cores", f.unit
	p.X.Min, p.Y.Min = 0, 0
	p.X.Tick.Marker = plot.TickerFunc(func(_, _ float64) (ticks []plot.Tick) {
		for _, x := range f.cores() {
			ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprint(x)})
		}
		return ticks
	})
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	curves := slices.SortedFunc(maps.Keys(f.curves), func(a, b curve) int {
		return cmp.Or(cmp.Compare(a.way, b.way), cmp.Compare(a.lines, b.lines))
	})
	colours, shapes := number(curves, func(c curve) string { return c.way }), number(curves, func(c curve) int { return c.lines })
	for _, c := range curves {
		points := f.curves[c]
		slices.SortFunc(points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return nil, fmt.Errorf("%v: %w", c, err)
		}
		line.Color, marks.Color = plotutil.Color(colours[c.way]), plotutil.Color(colours[c.way])
		line.Dashes, marks.Shape = plotutil.Dashes(shapes[c.lines]), plotutil.Shape(shapes[c.lines])
		p.Add(line, marks)
		p.Legend.Add(c.String(), line, marks)
	}
	return p, nil
}

// cores returns the numbers of cores that there are figures for.
func (f *figure) cores() []float64 {
	set := make(map[float64]bool)
	for _, points := range f.curves {
		for _, p := range points {
			set[p.X] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

// number numbers the values that a function has of curves, in the order of these.
func number[T comparable](curves []curve, of func(curve) T) map[T]int {
	numbers := make(map[T]int)
	for _, c := range curves {
		if _, ok := numbers[of(c)]; !ok {
			numbers[of(c)] = len(numbers)
		}
	}
	return numbers
}
