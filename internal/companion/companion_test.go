//go:build unix

package companion

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mazevault/vault-tool/internal/exchange"
)

// The test binary is the program too, where it is started as that. Of its environment only what configures stores
// reaches it, so this is how it is told what to do.
const behaviourEnv = "AWS_TEST_BEHAVIOUR"

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == Argument {
		behave(os.Getenv(behaviourEnv))
		return
	}
	os.Exit(m.Run())
}

// behave is one of the programs that could be in the place of vault-tool-net.
func behave(behaviour string) {
	answer := func(values ...string) {
		m, err := exchange.Read(os.Stdin, 1<<20)
		if err != nil {
			panic(err)
		}
		var records []exchange.Record
		for _, value := range values {
			records = append(records, exchange.Record{{Name: "value", Value: []byte(value)}})
		}
		m.Records = records
		if err := exchange.Write(os.Stdout, m); err != nil {
			panic(err)
		}
	}
	switch behaviour {
	case "environment":
		answer(strings.Join(os.Environ(), "\n"))
	case "within":
		m, err := exchange.Read(os.Stdin, 1<<20)
		if err != nil {
			panic(err)
		}
		_ = exchange.Write(os.Stdout, &exchange.Message{Records: []exchange.Record{{{Name: "value", Value: []byte(m.Within.String())}}}})
	case "stay":
		answer("value")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the pipe ends
	case "two":
		answer("value", "another")
	case "large":
		answer(strings.Repeat("v", 100_000))
	case "complain":
		_, _ = os.Stderr.WriteString("CANARY\n")
		os.Exit(3)
	case "crash":
		panic("CANARY")
	case "other version":
		_, _ = os.Stdout.WriteString("VTNP\x00\x09\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
		_, _ = io.Copy(io.Discard, os.Stdin)
	case "other program":
		_, _ = os.Stdout.WriteString(strings.Repeat("CANARY", 10))
		time.Sleep(time.Hour)
	case "half":
		_, _ = os.Stdout.WriteString("VTNP\x00\x01\x00")
	case "hang":
		time.Sleep(time.Hour)
	case "hang in another":
		// It has the pipes too, and outlives whoever kills only its parent.
		sleep := exec.Command("sleep", "3600")
		sleep.Stdin, sleep.Stdout = os.Stdin, os.Stdout
		if err := sleep.Start(); err != nil {
			panic(err)
		}
		if err := os.WriteFile(os.Getenv("AWS_TEST_PID"), []byte(strconv.Itoa(sleep.Process.Pid)), 0o600); err != nil {
			panic(err)
		}
		time.Sleep(time.Hour)
	}
}

// place is a directory with the test binary as the program.
func place(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	chmod(t, dir, 0o755)
	// A process that is forked while the file is open for writing would keep it from being executed.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(filepath.Join(dir, Name), program, 0o755); err != nil {
		t.Fatal(err)
	}
	chmod(t, filepath.Join(dir, Name), 0o755)
	return dir
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func program(dir, behaviour string, environ ...string) *Program {
	return New(func() []string { return []string{dir} }, func() []string { return append(environ, behaviourEnv+"="+behaviour) })
}

var one = []exchange.Record{{{Name: exchange.FieldOperation, Value: []byte("test")}}}

// ask returns the value of the only answer.
func ask(t *testing.T, p *Program) string {
	t.Helper()
	m, err := p.Ask(context.Background(), one, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Destroy()
	return m.Records[0].Text("value")
}

func TestAsk(t *testing.T) {
	t.Parallel()
	dir := place(t)
	if got := ask(t, program(dir, "stay")); got != "value" {
		t.Errorf("got %q", got)
	}
	within, err := time.ParseDuration(ask(t, program(dir, "within")))
	if err != nil || within <= 0 || within > Timeout-timeToTell {
		t.Errorf("it has %s for its answer, error %v", within, err)
	}
}

// TestEnvironment: the program has exactly the variables of the list.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	kept := []string{
		"AWS_REGION=r", "AZURE_CLIENT_ID=c", "IDENTITY_ENDPOINT=e", "IDENTITY_HEADER=h", "MSI_ENDPOINT=m", "GOOGLE_APPLICATION_CREDENTIALS=g",
		"VAULT_TOKEN=t", "HTTPS_PROXY=p", "https_proxy=p", "NO_PROXY=n", "no_proxy=n", "ALL_PROXY=a", "SSL_CERT_FILE=f", "SSL_CERT_DIR=d",
		"HOME=/h", "PATH=/p", "VAULT_EMPTY=",
	}
	dropped := []string{
		"MAZEVAULT_VAULT_KEY_FILE=k", "LD_PRELOAD=l", "GODEBUG=http2debug=2", "GOTRACEBACK=all", "DATABASE_PASSWORD=d", "HOMEPATH=h", "PATHS=p",
		"XAWS_REGION=r", "aws_region=r", "PROXY=p", "Https_Proxy=p", "SSL_CERT=c", "TMPDIR=t", "VAULT=v", "USER=u", "_=x", "=odd", "odd",
	}
	want := append(slices.Clone(kept), behaviourEnv+"=environment")
	got := strings.Split(ask(t, program(place(t), "environment", append(slices.Clone(dropped), kept...)...)), "\n")
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the environment is %q, want %q", got, want)
	}
}

func TestAskWhatIsNoHelp(t *testing.T) {
	t.Parallel()
	dir := place(t)
	for _, tt := range []struct {
		behaviour string
		err       error
		says      string
	}{
		{"two", ErrBroken, "another number of answers"},
		{"large", ErrBroken, "too large"},
		{"complain", ErrBroken, "exit code 3"},
		{"crash", ErrBroken, "exit code 2"},
		{"half", ErrBroken, "no answer"},
		{"other program", ErrBroken, "another program"},
		{"other version", ErrVersion, "version 9 of the protocol, and this program version " + strconv.Itoa(exchange.Version)},
	} {
		m, err := program(dir, tt.behaviour).Ask(context.Background(), one, 1000)
		if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), filepath.Join(dir, Name)) || m != nil {
			t.Errorf("%s: error %v, want one that says %q", tt.behaviour, err, tt.says)
		}
		if err != nil && strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%s: the error repeats what the program said: %v", tt.behaviour, err)
		}
	}
}

// TestAskTooLong: the end of the time is a kill, of what the program has started as well.
func TestAskTooLong(t *testing.T) {
	t.Parallel()
	dir := place(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	for _, behaviour := range []string{"hang", "hang in another"} {
		p := program(dir, behaviour, "AWS_TEST_PID="+pidFile, "PATH="+os.Getenv("PATH"))
		p.timeout = 2 * time.Second
		_, err := p.Ask(context.Background(), one, 1000)
		if !errors.Is(err, ErrTimeout) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), filepath.Join(dir, Name)) {
			t.Errorf("%s: error %v", behaviour, err)
		}
	}
	text, err := os.ReadFile(pidFile)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for !gone(pid) { // the system does not promise when
		time.Sleep(time.Millisecond)
	}
}

// gone tells whether a process has ended, though nobody may have waited for it.
func gone(pid int) bool {
	if stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); err == nil {
		return bytes.Contains(stat, []byte(") Z "))
	}
	return syscall.Kill(pid, 0) != nil
}

func TestAskGivenUp(t *testing.T) {
	t.Parallel()
	dir := place(t)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	for range 2 { // while it is asked, and before
		if _, err := program(dir, "hang").Ask(ctx, one, 1000); !errors.Is(err, context.Canceled) || errors.Is(err, ErrTimeout) {
			t.Errorf("error %v", err)
		}
	}
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := program(dir, "hang").Ask(ctx, one, 1000); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	good, empty := place(t), t.TempDir()
	chmod(t, empty, 0o755)
	linked := t.TempDir()
	chmod(t, linked, 0o755)
	link := func(dir, target string) string {
		t.Helper()
		if err := os.Symlink(target, filepath.Join(dir, Name)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	link(linked, filepath.Join(good, Name))
	made := func(change func(dir string)) string {
		t.Helper()
		dir := place(t)
		change(dir)
		return dir
	}
	want, err := filepath.EvalSymlinks(filepath.Join(good, Name)) // a temporary directory may be behind a link
	if err != nil {
		t.Fatal(err)
	}
	wide := made(func(dir string) { chmod(t, dir, 0o777) })
	tests := map[string]struct {
		places []string
		err    error
		says   string
	}{
		"there":              {places: []string{good}},
		"in the second":      {places: []string{empty, good}},
		"in no place":        {places: []string{empty, "/no/such/dir"}, err: ErrMissing, says: "looked for in " + empty + " and /no/such/dir"},
		"behind a link":      {places: []string{linked}},
		"a link to nothing":  {places: []string{link(made(func(dir string) { _ = os.Remove(filepath.Join(dir, Name)) }), "/no/such"), good}, err: ErrRefused, says: "no such file"},
		"a link to others'":  {places: []string{link(made(func(dir string) { _ = os.Remove(filepath.Join(dir, Name)) }), filepath.Join(wide, Name))}, err: ErrRefused, says: "may write to " + wide},
		"others write it":    {places: []string{made(func(dir string) { chmod(t, filepath.Join(dir, Name), 0o757) }), good}, err: ErrRefused, says: "others may write to it (mode 0757)"},
		"the group writes":   {places: []string{made(func(dir string) { chmod(t, filepath.Join(dir, Name), 0o775) })}, err: ErrRefused, says: "others may write to it (mode 0775)"},
		"others write there": {places: []string{wide, good}, err: ErrRefused, says: "others may write to " + wide + " (mode 0777)"},
		"a directory": {places: []string{made(func(dir string) {
			_ = os.Remove(filepath.Join(dir, Name))
			_ = os.Mkdir(filepath.Join(dir, Name), 0o755)
		})}, err: ErrRefused, says: "not a file"},
	}
	if os.Geteuid() == 0 {
		foreign := func(name string) string {
			return made(func(dir string) {
				if err := os.Chown(filepath.Join(dir, name), 4321, -1); err != nil {
					t.Fatal(err)
				}
			})
		}
		tests["somebody's"] = struct {
			places []string
			err    error
			says   string
		}{[]string{foreign(Name), good}, ErrRefused, "it belongs to 4321"}
		place := foreign(".")
		tests["in somebody's"] = struct {
			places []string
			err    error
			says   string
		}{[]string{place}, ErrRefused, place + " belongs to 4321"}
	}
	for name, tt := range tests {
		got, err := find(tt.places)
		if tt.err == nil {
			if err != nil || got != want {
				t.Errorf("%s: got %q, error %v", name, got, err)
			}
			continue
		}
		if !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), Name) {
			t.Errorf("%s: error %v, want one that says %q", name, err, tt.says)
		}
	}
}

func TestCannotBeStarted(t *testing.T) {
	t.Parallel()
	dir := place(t)
	chmod(t, filepath.Join(dir, Name), 0o644)
	_, err := program(dir, "").Ask(context.Background(), one, 1000)
	if !errors.Is(err, ErrBroken) || !strings.Contains(err.Error(), "cannot be started: permission denied") {
		t.Errorf("error %v", err)
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	self, err = filepath.EvalSymlinks(self)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := Places("/further"), []string{filepath.Dir(self), "/further"}; !slices.Equal(got, want) {
		t.Errorf("the places are %q, want %q", got, want)
	}
}
