package manifest

import (
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Reservation is processor time: Budget in every Period, by Deadline after its start.
type Reservation struct{ Period, Budget, Deadline time.Duration }

// Bounds of what is told a core's scheduler.
const (
	MaxWeight   = 10_000
	LeastBudget = 50 * time.Microsecond
	MostPeriod  = time.Second
)

// CheckWeight reports whether a program cannot weigh so much.
func CheckWeight(weight int) error {
	if weight < 1 || weight > MaxWeight {
		return fmt.Errorf("%d is no weight from 1 to %d", weight, MaxWeight)
	}
	return nil
}

// ParseWeight reads a weight.
func ParseWeight(text string) (int, error) {
	weight, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("%s is no weight from 1 to %d", text, MaxWeight)
	}
	return weight, CheckWeight(weight)
}

// Check reports whether r can be reserved on no core at all.
func (r *Reservation) Check() error {
	if r.Budget < LeastBudget || r.Budget > r.Deadline || r.Deadline > r.Period || r.Period > MostPeriod {
		return fmt.Errorf("the budget is at least %v, the deadline at least the budget, the period at least the deadline and at most %v", LeastBudget, MostPeriod)
	}
	return nil
}

var errWords = errors.New("give a period, a budget, and a deadline if it is not the period's end")

// ParseReservation reads a period, a budget and a deadline, such as "10ms", "2ms"
// and "5ms"; without a deadline that is the period's end.
func ParseReservation(words []string) (*Reservation, error) {
	if len(words) != 2 && len(words) != 3 {
		return nil, errWords
	}
	var times [3]time.Duration
	for i, word := range words {
		var err error
		if times[i], err = time.ParseDuration(word); err != nil {
			return nil, fmt.Errorf("%s is no time such as 10ms or 500us", word)
		}
	}
	if len(words) == 2 {
		times[2] = times[0]
	}
	r := &Reservation{Period: times[0], Budget: times[1], Deadline: times[2]}
	return r, r.Check()
}
