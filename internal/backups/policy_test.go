package backups

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStale goes by the digits of days of the year 2026, or of times in them.
func TestStale(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		p      Policy
		stamps string // newest first
		kept   string
	}{
		{"no rule keeps all", Policy{}, "0420 0419 0418", "0420 0419 0418"},
		{"nothing is there", Policy{Last: 1}, "", ""},
		{"last", Policy{Last: 2}, "0420 0419 0418", "0420 0419"},
		{"last, more than there are", Policy{Last: 9}, "0420 0419", "0420 0419"},
		{"one a day", Policy{Daily: 2}, "0420T23 0420T12 0419T20 0419T08 0418", "0420T23 0419T20"},
		{"days without any are not counted", Policy{Daily: 2}, "0420 0401 0301", "0420 0401"},
		{"the oldest, while there is room", Policy{Daily: 7}, "0420T23 0420T12 0419T20 0419T08", "0420T23 0419T20 0419T08"},
		{"a week begins on Monday", Policy{Weekly: 2}, "0420 0419 0413 0412", "0420 0419"}, // 20 April 2026 is one
		{"a week over the end of a year", Policy{Weekly: 1}, "0104 0103", "0104"},
		{"months", Policy{Monthly: 3}, "0420 0401 0331 0330 0228 0131", "0420 0331 0228"},
		{"rules together keep what one of them does", Policy{Last: 1, Daily: 2, Monthly: 2}, "0420T23 0420T12 0419 0418 0331 0330", "0420T23 0419 0331"},
		{"the newest stays", Policy{Monthly: 1}, "0420 0419", "0420"},
	} {
		var all []Backup
		for stamp := range strings.FieldsSeq(tt.stamps) {
			day, hour, _ := strings.Cut(stamp, "T")
			at, err := time.Parse("20060102T15", "2026"+day+"T"+fmt.Sprintf("%02s", hour))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, Backup{Name: stamp, Time: at})
		}
		stale := tt.p.Stale(all)
		var kept []string
		for _, b := range all {
			if !slices.Contains(stale, b) {
				kept = append(kept, b.Name)
			}
		}
		if got := strings.Join(kept, " "); got != tt.kept {
			t.Errorf("%s: %q are kept, want %q", tt.name, got, tt.kept)
		}
	}
}

// TestYearOfBackups: after two years of daily backups exactly those of the rules are there, whatever was pruned on the way.
func TestYearOfBackups(t *testing.T) {
	t.Parallel()
	p := Policy{Daily: 7, Weekly: 4, Monthly: 12}
	var kept []Backup
	for at := time.Date(2025, 1, 1, 3, 0, 0, 0, time.UTC); at.Before(time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)); at = at.AddDate(0, 0, 1) {
		kept = append([]Backup{{Name: Name("v", at, 0), Time: at}}, kept...)
		stale := p.Stale(kept)
		kept = slices.DeleteFunc(kept, func(b Backup) bool { return slices.Contains(stale, b) })
	}
	var got []string
	for _, b := range kept {
		got = append(got, b.Time.Format("060102"))
	}
	want := "261231 261230 261229 261228 261227 261226 261225 261220 261213 261130 261031 260930 260831 260731 260630 260531 260430 260331 260228 260131"
	if text := strings.Join(got, " "); text != want {
		t.Errorf("kept are\n%s, want\n%s", text, want)
	}
}
