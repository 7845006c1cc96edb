package backups

import "time"

// Policy says which backups stay. A rule that is 0 keeps none; a policy without rules keeps all. What one rule keeps stays.
type Policy struct {
	Last    int // the newest ones
	Daily   int // the newest of each of the last days that have one
	Weekly  int // likewise, of weeks that begin on Monday (ISO 8601)
	Monthly int
}

// Stale returns those of backups, which are sorted with the newest first, that the policy does not keep. The newest stays always, and
// while a rule could keep more than there are, the oldest: restic keeps it too, so that the first of the months to come is there. Days
// end at midnight UTC, as in the names.
func (p Policy) Stale(backups []Backup) []Backup {
	if p == (Policy{}) {
		return nil
	}
	rules := []rule{
		{left: p.Last, period: func(t time.Time) time.Time { return t }, each: true},
		{left: p.Daily, period: day},
		{left: p.Weekly, period: week},
		{left: p.Monthly, period: month},
	}
	var stale []Backup
	for i, b := range backups {
		keep := i == 0
		for r := range rules {
			keep = rules[r].keeps(b.Time, i == len(backups)-1) || keep
		}
		if !keep {
			stale = append(stale, b)
		}
	}
	return stale
}

// rule keeps one backup of each of so many periods.
type rule struct {
	left   int
	period func(time.Time) time.Time // the beginning of the one that a time is in
	each   bool                      // every backup is a period of its own
	last   time.Time                 // the period of which one was kept last
}

func (r *rule) keeps(t time.Time, oldest bool) bool {
	period := r.period(t)
	if r.left == 0 || !r.each && !oldest && period.Equal(r.last) {
		return false
	}
	r.left--
	r.last = period
	return true
}

func day(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }

func month(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC) }

func week(t time.Time) time.Time {
	const daysOfWeek = 7
	sinceMonday := (int(t.Weekday()) + daysOfWeek - int(time.Monday)) % daysOfWeek
	return day(t).AddDate(0, 0, -sinceMonday)
}
