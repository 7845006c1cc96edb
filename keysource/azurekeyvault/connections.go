package azurekeyvault

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

const (
	// dialTimeout leaves time for a second attempt within [Timeout].
	dialTimeout = 4 * time.Second

	// readBufferBytes is the least that bufio allows. A response larger than the connection's read buffer
	// is read straight into the caller's, so next to nothing of the secret stays in this one, which
	// belongs to a goroutine of net/http and cannot be wiped.
	readBufferBytes = 16

	maxHeaderBytes = 64 << 10

	// maxAnswerBytes is far above every answer there is: a secret has at most 25 kB, a token a few. Without
	// it, an answer without end would be kept in memory until the time is over.
	maxAnswerBytes = 1 << 20
)

// connections are the HTTP clients of one call.
type connections struct {
	vault  *http.Client // the vault and Microsoft Entra: through the proxy that the environment names
	local  *http.Client // the identity endpoint of the host: never through a proxy, it speaks plain HTTP
	dialer *wipingDialer
}

func newConnections() *connections {
	d := &wipingDialer{}
	return &connections{vault: newHTTPClient(d, http.ProxyFromEnvironment), local: newHTTPClient(d, nil), dialer: d}
}

// close ends all connections and wipes what was read from them.
func (c *connections) close() {
	c.vault.CloseIdleConnections()
	c.local.CloseIdleConnections()
	c.dialer.close()
}

func newHTTPClient(d *wipingDialer, proxy func(*http.Request) (*url.URL, error)) *http.Client {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true) // HTTP/2 would add frame buffers of its own to what holds the secret
	return &http.Client{
		Transport: boundedTransport{&http.Transport{
			Proxy:                  proxy,
			DialContext:            d.dial,
			TLSHandshakeTimeout:    Timeout,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			Protocols:              protocols,
			ReadBufferSize:         readBufferBytes,
			MaxResponseHeaderBytes: maxHeaderBytes,
			DisableCompression:     true,
			OnProxyConnectResponse: checkProxy,
		}},
		// None of these services redirects; following one could carry the identity header elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// boundedTransport ends an answer of more than maxAnswerBytes with an [*http.MaxBytesError].
type boundedTransport struct{ *http.Transport }

func (t boundedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxAnswerBytes)
	return response, nil
}

// proxyError is a proxy's refusal to connect.
type proxyError struct{ status int }

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy answered HTTP %d", e.status)
}

func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return &proxyError{response.StatusCode}
	}
	return nil
}
