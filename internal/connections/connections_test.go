package connections

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mazevault/vault-tool/internal/reserved"
)

// build makes a connection of fields, given as keys and values in turn.
func build(t *testing.T, typeKey string, fields ...string) (*Connection, error) {
	t.Helper()
	c, err := New("prod", TypeOf(typeKey))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for i := 0; i < len(fields); i += 2 {
		if err := c.Set(fields[i], []byte(fields[i+1])); err != nil {
			return c, err
		}
	}
	return c, c.Check()
}

func TestCheck(t *testing.T) {
	const serviceAccount = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN\\n\"\n}\n"
	for _, test := range []struct {
		kind   string
		fields []string
	}{
		{"aws-sm", []string{"region", "eu-west-1"}},
		{"aws-sm", []string{"region", "us-gov-west-1", "accessKeyId", "AKIAIOSFODNN7EXAMPLE", "secretAccessKey", "k", "sessionToken", "t"}},
		{"aws-sm", []string{"region", "eu-west-1", "profile", "prod sso", "roleArn", "arn:aws:iam::123456789012:role/reader", "description", "Ünser"}},
		{"azure-kv", []string{"vaultUrl", "https://my-vault.vault.azure.net"}},
		{"azure-kv", []string{"vaultUrl", "https://my-vault.vault.azure.net/", "clientId", "c"}},
		{"azure-kv", []string{"vaultUrl", "http://127.0.0.1:8443", "clientId", "c", "tenantId", "t"}},
		{"azure-kv", []string{"vaultUrl", "https://v", "clientId", "c", "tenantId", "t", "clientSecret", "s"}},
		{"gcp-sm", []string{"projectId", "my-project-123"}},
		{"gcp-sm", []string{"projectId", "p", "serviceAccountJson", serviceAccount}},
		{"vault", []string{"vaultUrl", "https://vault.example.com:8200/behind/a/path"}},
		{"vault", []string{"vaultUrl", "http://[::1]:8200", "token", "hvs.x", "namespace", "team/a", "kv", "1", "mount", "team/kv"}},
		{"vault", []string{"vaultUrl", "http://127.5.5.5", "tokenFile", "/run/token"}},
		{"vault", []string{"vaultUrl", "https://v", "auth", "approle", "roleId", "r", "secretId", "s", "authMount", "approle2"}},
		{"vault", []string{"vaultUrl", "https://v", "auth", "kubernetes", "role", "r", "authMount", "k8s/prod"}},
	} {
		c, err := build(t, test.kind, test.fields...)
		if err != nil {
			t.Errorf("%s %q: %v", test.kind, test.fields, err)
			continue
		}
		text, err := c.Encode()
		if err != nil || !json.Valid(text) {
			t.Errorf("%s %q: encoded as %s, %v", test.kind, test.fields, text, err)
		}
		again, err := Decode("prod", text)
		if err != nil {
			t.Errorf("%s is not read back: %v", text, err)
			continue
		}
		for i := 0; i < len(test.fields); i += 2 {
			if value, ok := again.Get(test.fields[i]); !ok || string(value) != test.fields[i+1] {
				t.Errorf("%s: %s is %q", text, test.fields[i], value)
			}
		}
		if err := again.Check(); err != nil || len(again.values) != len(test.fields)/2 {
			t.Errorf("%s: %v, %d fields", text, err, len(again.values))
		}
		again.Close()
	}
}

func TestCheckRefuses(t *testing.T) {
	const needle = "hunter2"
	for _, test := range []struct {
		kind   string
		fields []string
	}{
		{"aws-sm", nil},
		{"aws-sm", []string{"region", "Europe"}},
		{"aws-sm", []string{"region", "eu-west-1", "accessKeyId", "a"}},
		{"aws-sm", []string{"region", "eu-west-1", "secretAccessKey", needle}},
		{"aws-sm", []string{"region", "eu-west-1", "sessionToken", needle}},
		{"aws-sm", []string{"region", "eu-west-1", "accessKeyId", "a", "secretAccessKey", needle, "profile", "p"}},
		{"aws-sm", []string{"region", "eu-west-1", "secretAccessKey", needle + "\n"}},
		{"aws-sm", []string{"region", "eu-west-1", "secretAccessKey", " " + needle}},
		{"aws-sm", []string{"region", "eu-west-1", "secretAccessKey", needle + "\xff"}},
		{"aws-sm", []string{"region", "eu-west-1", "secretAccessKey", Mask}},
		{"aws-sm", []string{"region", "eu-west-1", "secretAccessKey", strings.Repeat(needle, 10_000)}},
		{"aws-sm", []string{"region", "eu-west-1", "roleArn", "arn:aws:s3:::x"}},
		{"aws-sm", []string{"region", "eu-west-1", "password", needle}},
		{"azure-kv", []string{"vaultUrl", "http://my-vault.vault.azure.net"}},
		{"azure-kv", []string{"vaultUrl", "https://v", "clientId", "c", "clientSecret", needle}},
		{"azure-kv", []string{"vaultUrl", "https://v", "tenantId", "t"}},
		{"azure-kv", []string{"vaultUrl", "https://v", "clientId", "../x"}},
		{"gcp-sm", []string{"projectId", "a/b"}},
		{"gcp-sm", []string{"projectId", "p", "serviceAccountJson", needle}},
		{"gcp-sm", []string{"projectId", "p", "serviceAccountJson", `["` + needle + `"]`}},
		{"gcp-sm", []string{"projectId", "p", "serviceAccountJson", `{"a":"` + needle + `"`}},
		{"vault", []string{"token", needle}},
		{"vault", []string{"vaultUrl", "https://v", "kv", "3"}},
		{"vault", []string{"vaultUrl", "https://v", "auth", "ldap"}},
		{"vault", []string{"vaultUrl", "https://v", "auth", "approle", "roleId", "r"}},
		{"vault", []string{"vaultUrl", "https://v", "auth", "kubernetes"}},
		{"vault", []string{"vaultUrl", "https://v", "auth", "kubernetes", "role", "r", "token", needle}},
		{"vault", []string{"vaultUrl", "https://v", "role", "r"}},
		{"vault", []string{"vaultUrl", "https://v", "token", needle, "tokenFile", "/x"}},
		{"vault", []string{"vaultUrl", "https://v", "tokenFile", "token"}},
		{"vault", []string{"vaultUrl", "https://v", "namespace", "../root"}},
		{"vault", []string{"vaultUrl", "https://v", "mount", "/kv"}},
	} {
		if _, err := build(t, test.kind, test.fields...); !errors.Is(err, ErrBad) {
			t.Errorf("%s %.200q: %v", test.kind, test.fields, err)
		} else if strings.Contains(err.Error(), needle) {
			t.Errorf("%s: the error has a value: %v", test.kind, err)
		}
	}
	for _, name := range []string{"", "Prod", "a.b", "a/b", "-a", strings.Repeat("a", 64)} {
		if _, err := New(name, types[0]); !errors.Is(err, ErrBad) {
			t.Errorf("a connection may be named %q", name)
		}
	}
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"https://x": true, "https://x:1/p/": true, "http://127.0.0.1": true, "http://127.1.2.3:8200/": true, "http://[::1]:1": true,
		"http://localhost:8200": false, "http://127.0.0.1.example.com": false, "http://10.0.0.1": false, "http://0.0.0.0": false, "http://[::]": false, "http://2130706433": false,
		"ftp://x": false, "x": false, "//x": false, "https://": false, "https:///p": false, "HTTPS://x": true, "https://u@x": false, "https://u:p@x": false, "https://x?a=b": false, "https://x?": false,
		"https://x#f": false, "https://x#": false, "https://x/../y": false, "https://x/a//b": false, "https://x\n": false, "https://x ": false, "https://x:port": false, "unix:///run/x": false,
	} {
		if problem := checkAddress([]byte(address)); (problem == "") != want {
			t.Errorf("%q: %q", address, problem)
		}
	}
}

func TestMask(t *testing.T) {
	c, err := build(t, "vault", "vaultUrl", "https://v", "token", "hunter2", "namespace", "n")
	if err != nil {
		t.Fatal(err)
	}
	shown, ok := c.Shown("token")
	if address, _ := c.Shown("vaultUrl"); !ok || shown != Mask || address != "https://v" {
		t.Errorf("shown are %q and %q", shown, address)
	}
	if err := c.SetShown("token", []byte(shown)); err != nil {
		t.Error(err)
	}
	if value, _ := c.Get("token"); string(value) != "hunter2" {
		t.Errorf("a masked field that came back is now %q", value)
	}
	if err := c.SetShown("namespace", []byte(Mask)); !errors.Is(err, ErrBad) {
		t.Errorf("a field that is not sensitive takes the mask: %v", err)
	}
	if err := c.SetShown("token", nil); err != nil || c.Has("token") {
		t.Errorf("a field is not taken away: %v", err)
	}
	if err := c.SetShown("token", []byte(Mask)); !errors.Is(err, ErrBad) {
		t.Errorf("a mask becomes a value: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v", c, c, *c); strings.Contains(text, "https") {
		t.Errorf("it prints as %s", text)
	}
}

func TestIsAt(t *testing.T) {
	azure, _ := build(t, "azure-kv", "vaultUrl", "https://My-Vault.vault.azure.net/")
	aws, _ := build(t, "aws-sm", "region", "eu-west-1")
	for place, want := range map[string]bool{"my-vault": true, "my-vault.vault.azure.net": true, "vault": false, "my-vault.example.com": false, "": false} {
		if azure.IsAt(place) != want {
			t.Errorf("azure at %q: %v", place, !want)
		}
	}
	if !aws.IsAt("eu-west-1") || aws.IsAt("us-east-1") {
		t.Error("aws")
	}
}

type entries map[reserved.Name]string

func (e entries) UseReserved(name reserved.Name, f func([]byte) error) error {
	if text, ok := e[name]; ok {
		return f([]byte(text))
	}
	return errors.New("absent")
}

func (e entries) Reserved() (names []reserved.Name) {
	for name := range e {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func TestIn(t *testing.T) {
	v := entries{".stores/a": `{"config":{"region":"eu-west-1"},"type":"aws-sm","v":1}`, ".stores/b": `{"v":2}`, ".refs/x": "", ".settings": ""}
	if names := Names(v); !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("names %q", names)
	}
	c, err := In(v, "a")
	if err != nil || c.Name != "a" || c.Type.Key != "aws-sm" {
		t.Errorf("%v, %v", c, err)
	}
	c.Close()
	if _, err := In(v, "b"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if _, err := In(v, "c"); !errors.Is(err, ErrNotFound) || Exists(v, "c") || !Exists(v, "b") {
		t.Error(err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, text := range []string{
		``, `{}`, `[]`, `{"v":1}`, `{"config":{},"type":"none","v":1}`, `{"config":{},"type":"vault","v":2}`, `{"config":{},"more":1,"type":"vault","v":1}`,
		`{"config":{"vaultUrl":"https://v","later":"x"},"type":"vault","v":1}`, `{"config":{"vaultUrl":""},"type":"vault","v":1}`, `{"config":{"vaultUrl":1},"type":"vault","v":1}`,
		`{"config":{"vaultUrl":"http://evil"},"type":"vault","v":1}`, `{"config":{"token":"\ud800"},"type":"vault","v":1}`, `{"config":{},"type":"vault","v":1}x`,
		`{"config":[],"type":"vault","v":1}`, "{\"config\":{\"token\":\"\xff\"},\"type\":\"vault\",\"v\":1}",
	} {
		if c, err := Decode("prod", []byte(text)); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: %v", text, err)
			c.Close()
		}
	}
}

// TestSchemas: what a form is made from is whole.
func TestSchemas(t *testing.T) {
	for _, typ := range Types() {
		if typ.Label == "" || typ.Description == "" || !typ.field(typ.place).Required {
			t.Errorf("%s lacks something", typ.Key)
		}
		for _, f := range typ.Fields {
			if f.Label == "" || f.Help == "" || f.Sensitive != (f.Kind == Password) || (len(f.Choices) > 0) != (f.Kind == Choice) {
				t.Errorf("%s %s: %+v", typ.Key, f.Key, f)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"config":{"region":"eu-west-1","secretAccessKey":"a\u0041","accessKeyId":"x"},"type":"aws-sm","v":1}`)
	f.Add(`{"config":{"vaultUrl":"https://v"},"type":"vault","v":1}`)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Decode("prod", []byte(text))
		if err != nil {
			return
		}
		defer c.Close()
		encoded, err := c.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Decode("prod", encoded)
		if err != nil {
			t.Fatalf("%q is written as %q, which is not read: %v", text, encoded, err)
		}
		again.Close()
	})
}
