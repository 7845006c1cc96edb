package azurekeyvault

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// step is whom a request goes to.
type step int

const (
	stepVault step = iota
	stepIdentity
)

// event is the last thing that happened on the way to the secret.
type event struct {
	step       step
	host       string // empty: no request was made in this step
	authorized bool   // the request carried a token
	status     int    // HTTP status; 0 where there was no answer
	code       string // see errorCode
	err        error  // why there was no answer
}

// trace remembers the last event of one call. The SDK turns causes into text on their way up, and its
// texts hold whole responses; what failed is therefore read from here and never from them.
type trace struct {
	mu   sync.Mutex
	last event
}

func (t *trace) begin(s step, host string) { t.record(event{step: s, host: host}) }

func (t *trace) record(e event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = e
}

func (t *trace) get() event {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// recorder is the policy nearest to the network: it sees every attempt.
type recorder struct {
	trace *trace
	step  step
}

func pipelinePolicies(t *trace, s step) []policy.Policy { return []policy.Policy{recorder{t, s}} }

// Do implements policy.Policy.
func (r recorder) Do(request *policy.Request) (*http.Response, error) {
	e := event{
		step:       r.step,
		host:       request.Raw().URL.Host,
		authorized: request.Raw().Header.Get("Authorization") != "",
	}
	r.trace.record(e)
	response, err := request.Next()
	if err != nil {
		e.err = err
		r.trace.record(e)
		return response, err
	}
	e.status = response.StatusCode
	if e.status != http.StatusOK {
		if body, err := runtime.Payload(response); err == nil {
			e.code = errorCode(body)
		}
	}
	r.trace.record(e)
	if r.step == stepVault && e.status == http.StatusUnauthorized && !namesTenant(response.Header.Get("WWW-Authenticate")) {
		return nil, errNoChallenge
	}
	return response, nil
}

// namesTenant tells whether a challenge of Key Vault names the tenant as it should,
// authorization="https://HOST/TENANT". The SDK's parser ends the process with a panic where that address
// has no path.
func namesTenant(challenge string) bool {
	_, address, ok := strings.Cut(challenge, `authorization="https://`)
	if !ok || strings.Count(challenge, "authorization=") != 1 {
		return false
	}
	address, _, _ = strings.Cut(address, `"`)
	host, tenant, _ := strings.Cut(address, "/")
	return host != "" && tenant != "" && !strings.ContainsAny(address, ", ")
}

// errNoChallenge ends the retries of the SDK.
var errNoChallenge = noChallenge{}

type noChallenge struct{}

func (noChallenge) Error() string { return "the answer does not have Key Vault's challenge" }
func (noChallenge) NonRetriable() {}

const (
	maxRetries   = 3
	firstDelay   = 500 * time.Millisecond // then 1.5 s and 3.5 s, by the SDK's rule, with jitter
	leastAttempt = 500 * time.Millisecond // what must be left after a wait for an attempt to make sense
)

var (
	vaultRetryStatus = []int{
		http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}

	// identityRetryStatus has 404 and 410 too: the instance metadata service gives them while it starts
	// or is updated, and its documentation asks to try again.
	identityRetryStatus = append([]int{http.StatusNotFound, http.StatusGone}, vaultRetryStatus...)
)

// retryOptions are the SDK's retries, cut to what can still succeed within the call's deadline.
func retryOptions(retried []int) policy.RetryOptions {
	return policy.RetryOptions{
		MaxRetries:    maxRetries,
		RetryDelay:    firstDelay,
		MaxRetryDelay: Timeout,
		ShouldRetry: func(response *http.Response, err error) bool {
			if err != nil {
				return !permanent(err)
			}
			if !slices.Contains(retried, response.StatusCode) {
				return false
			}
			wait, asked := retryAfter(response.Header, time.Now())
			deadline, bounded := response.Request.Context().Deadline()
			return !asked || !bounded || wait+leastAttempt < time.Until(deadline)
		},
	}
}

// permanent tells of an error of the network that another attempt will not mend, or had better not.
func permanent(err error) bool {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		proxy       *proxyError
		endless     *http.MaxBytesError
	)
	switch {
	case errors.As(err, &dns):
		return dns.IsNotFound
	case errors.As(err, &proxy):
		return proxy.status < http.StatusInternalServerError
	}
	return errors.As(err, &certificate) || errors.As(err, &endless)
}

// retryAfter reads the header of RFC 9110, section 10.2.3, and Azure's two forms in milliseconds, in
// the order in which the SDK does.
func retryAfter(h http.Header, now time.Time) (wait time.Duration, ok bool) {
	for _, name := range []string{"Retry-After-Ms", "X-Ms-Retry-After-Ms"} {
		if n, err := strconv.Atoi(h.Get(name)); err == nil && n > 0 {
			return time.Duration(n) * time.Millisecond, true
		}
	}
	value := h.Get("Retry-After")
	if n, err := strconv.Atoi(value); err == nil && n > 0 {
		return time.Duration(n) * time.Second, true
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now), true
	}
	return 0, false
}
