package references

import (
	"errors"
	"strings"
	"testing"
)

const (
	anARN     = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:my-secret-AbCdEf"
	aUUID     = "EXAMPLE1-90ab-cdef-fedc-ba987EXAMPLE"
	azVersion = "0123456789abcdef0123456789abcdef"
)

func TestParse(t *testing.T) {
	for _, test := range []struct{ text, canonical string }{ // "": the text itself
		{"awssm://prod/my-app/api-keys", ""},
		{"awssm://prod/prod/stripe#api_key", "awssm://prod/prod/stripe#/api_key"},
		{"awssm://prod/prod/stripe?stage=AWSPREVIOUS#/a~1b", ""},
		{"awssm://prod/a+b=c@d.e_f", ""},
		{"awssm://prod/x?version=" + aUUID, ""},
		{"awssm://prod/x?region=us-east-1&encoding=base64", "awssm://prod/x?encoding=base64&region=us-east-1"},
		{"awssm://prod/" + anARN + "#/k", ""},
		{"awssm://prod/arn%3Aaws:secretsmanager:eu-west-1:123456789012:secret:my-secret-AbCdEf", "awssm://prod/" + anARN},
		{"akv://corp/database-password?version=" + azVersion, ""},
		{"akv://corp/certificate?encoding=base64", ""},
		{"gcpsm://gcp/my-secret?version=3&project=other-project", "gcpsm://gcp/my-secret?project=other-project&version=3"},
		{"gcpsm://gcp/my-secret?version=latest", "gcpsm://gcp/my-secret"},
		{"gcpsm://gcp/projects/my-project/secrets/my-secret/versions/latest", "gcpsm://gcp/my-secret?project=my-project"},
		{"gcpsm://gcp/projects/my-project/secrets/my-secret/versions/3#/k", "gcpsm://gcp/my-secret?project=my-project&version=3#/k"},
		{"gcpsm://gcp/projects/p1/secrets/s?project=p1", "gcpsm://gcp/s?project=p1"},
		{"vault://hc/secret/my-app/api%20key%3F?version=2&namespace=team/a/#/p%23w", "vault://hc/secret/my-app/api%20key%3F?namespace=team/a&version=2#/p%23w"},
		{"vault://hc/secret/caf%C3%A9", ""},
		{"vault://hc/secret/100%25#/%7e0/~1/", "vault://hc/secret/100%25#/~0/~1/"},
		{"vault://hc/secret/data/my-app", ""},
		{"vault://0/a/b", ""},
	} {
		want := test.canonical
		if want == "" {
			want = test.text
		}
		r, err := Parse(test.text)
		if err != nil || r.String() != want {
			t.Errorf("%s: %v, %s; want %s", test.text, err, r, want)
			continue
		}
		if again, err := Parse(want); err != nil || again.String() != want {
			t.Errorf("%s is not read back: %v, %s", want, err, again)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const needle = "hunter2"
	for _, text := range []string{
		"", needle, "http://x/y", "AWSSM://prod/x", "awssm:/prod/x", "vault://", "vault://hc", "vault://hc/", "vault://hc/secret", "vault://hc/secret/",
		"vault://hc/secret/../sys", "vault://hc/secret/%2e%2e/x", "vault://hc/secret/./x", "vault://hc//x", "vault://hc/a%2F%2Fb",
		"vault://https:%2f%2fevil/secret/x", "vault://evil.example.com/secret/x", "vault://user@hc/secret/x", "vault://hc:8200/secret/x", "vault://HC/secret/x",
		"vault://-hc/secret/x", "vault://hc-/secret/x", "vault://" + strings.Repeat("h", 64) + "/secret/x", "vault://[::1]/secret/x", "vault://%68c/secret/x",
		"awssm://prod/x?role_arn=" + needle, "awssm://prod/x?address=" + needle, "awssm://prod/x?stage=", "awssm://prod/x?stage=A&stage=B", "awssm://prod/x?", "awssm://prod/x?stage=A&",
		"awssm://prod/x?version=1", "awssm://prod/x?version=" + aUUID + "&stage=A", "awssm://prod/x?encoding=hex", "awssm://prod/x?encoding=base64#/k",
		"awssm://prod/x?region=eu", "awssm://prod/" + anARN + "?region=us-east-1", "awssm://prod/arn:aws:s3:::" + needle, "awssm://prod/a b", "awssm://prod/x?namespace=n",
		"awssm://prod/x#", "awssm://prod/x#/a~2", "awssm://prod/x#/a~", "awssm://prod/x#/~0~", "awssm://prod/x#%", "awssm://prod/x#/a%00",
		"akv://c/under_score", "akv://c/a/b", "akv://c/a?version=1", "akv://c/a?version=" + strings.ToUpper(azVersion),
		"gcpsm://g/a/b", "gcpsm://g/a?version=0", "gcpsm://g/projects/p/secrets/s?project=q", "gcpsm://g/projects/p/secrets/s/versions/", "gcpsm://g/projects/P!/secrets/s", "gcpsm://g/a?project=../x",
		"vault://hc/secret/x?encoding=base64", "vault://hc/secret/x?version=v1", "vault://hc/secret/x?namespace=../root", "vault://hc/secret/x?namespace=/",
		"awssm://prod/a%0ab", "awssm://prod/a%", "awssm://prod/a%ff", "vault://hc/secret/a\nb", "vault://hc/secret/a%c2%85",
		"awssm://prod/" + strings.Repeat("a", 3000),
	} {
		r, err := Parse(text)
		if !errors.Is(err, ErrBad) {
			t.Errorf("%q is taken as %s, %v", text, r, err)
		} else if strings.Contains(err.Error(), needle) {
			t.Errorf("%q: the error has of it: %v", text, err)
		}
	}
}

func TestLooks(t *testing.T) {
	for text, want := range map[string]bool{"awssm://": true, "vault://x": true, "akv:/x": false, "https://x": false, "": false, "literal": false, "x vault://": false} {
		if Looks(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestPathRules(t *testing.T) {
	parse := func(text string) Ref {
		r, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for text, want := range map[string]string{
		"gcpsm://g/my-secret":                                           "projects/own/secrets/my-secret/versions/latest",
		"gcpsm://g/my-secret?version=3":                                 "projects/own/secrets/my-secret/versions/3",
		"gcpsm://g/projects/my-project/secrets/my-secret/versions/3":    "projects/my-project/secrets/my-secret/versions/3",
		"gcpsm://g/projects/my-project/secrets/my-secret/versions/live": "projects/my-project/secrets/my-secret/versions/live",
	} {
		if got := parse(text).ResourceName("own"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	for _, test := range []struct{ text, kv, mount, want string }{
		{"vault://h/secret/my-app/api-key", KV2, "", "secret/data/my-app/api-key"},
		{"vault://h/secret/data/my-app/api-key", KV2, "", "secret/data/my-app/api-key"},
		{"vault://h/secret/my-app/api-key", KV1, "", "secret/my-app/api-key"},
		{"vault://h/secret/data/x", KV1, "", "secret/data/x"},
		{"vault://h/secret/data", KV2, "", "secret/data/data"},
		{"vault://h/team/kv/app", KV2, "team/kv", "team/kv/data/app"},
		{"vault://h/team/kv/data/app", KV2, "team/kv", "team/kv/data/app"},
		{"vault://h/other/app", KV2, "team/kv", "other/data/app"},
	} {
		if got := parse(test.text).KVPath(test.kv, test.mount); got != test.want {
			t.Errorf("%s, version %s, mount %q: %s, want %s", test.text, test.kv, test.mount, got, test.want)
		}
	}
	for text, want := range map[string]string{
		"awssm://p/x": "here-1", "awssm://p/x?region=us-west-2": "us-west-2", "awssm://p/" + anARN: "eu-west-1",
	} {
		if got := parse(text).RegionOr("here-1"); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestForeign(t *testing.T) {
	for _, test := range []struct{ text, place, want string }{
		{anARN, "eu-west-1", "awssm://c/" + anARN},
		{anARN + ":password::", "eu-west-1", "awssm://c/" + anARN + "#/password"},
		{anARN + ":user:AWSPREVIOUS:", "eu-west-1", "awssm://c/" + anARN + "?stage=AWSPREVIOUS#/user"},
		{anARN + ":::" + aUUID, "eu-west-1", "awssm://c/" + anARN + "?version=" + aUUID},
		{anARN + ":a/b~c::", "eu-west-1", "awssm://c/" + anARN + "#/a~1b~0c"},
		{"https://my-vault.vault.azure.net/secrets/db/" + azVersion, "my-vault.vault.azure.net", "akv://c/db?version=" + azVersion},
		{"https://My-Vault.vault.azure.net/secrets/db/", "my-vault.vault.azure.net", "akv://c/db"},
		{"@Microsoft.KeyVault(SecretUri=https://my-vault.vault.azure.net/secrets/db/)", "my-vault.vault.azure.net", "akv://c/db"},
		{"@Microsoft.KeyVault(VaultName=my-vault;SecretName=db;SecretVersion=" + azVersion + ")", "my-vault", "akv://c/db?version=" + azVersion},
		{"projects/my-project/secrets/my-secret/versions/latest", "my-project", "gcpsm://c/my-secret?project=my-project"},
		{"projects/my-project/secrets/my-secret/versions/3", "my-project", "gcpsm://c/my-secret?project=my-project&version=3"},
		{"projects/my-project/secrets/my-secret", "my-project", "gcpsm://c/my-secret?project=my-project"},
		{"sm://my-project/my-secret#2", "my-project", "gcpsm://c/my-secret?project=my-project&version=2"},
		{"ref+awssecrets://myteam/mydoc?region=us-west-2#/foo/bar", "us-west-2", "awssm://c/myteam/mydoc?region=us-west-2#/foo/bar"},
		{"ref+gcpsecrets://myproject/mysecret?version=3", "myproject", "gcpsm://c/mysecret?project=myproject&version=3"},
		{"ref+gcpsecrets://mysecret", "", "gcpsm://c/mysecret"},
		{"ref+azurekeyvault://my-vault/secret-a/ba4f196b15f644cd9e949896a21bab0d", "my-vault", "akv://c/secret-a?version=ba4f196b15f644cd9e949896a21bab0d"},
		{"ref+vault://mykv/foo?namespace=ns1#/bar", "", "vault://c/mykv/foo?namespace=ns1#/bar"},
		{"ref+openbao://mykv/foo?version=2", "", "vault://c/mykv/foo?version=2"},
		{"vault:secret/data/accounts/aws#AWS_SECRET_ACCESS_KEY#2", "", "vault://c/secret/data/accounts/aws?version=2#/AWS_SECRET_ACCESS_KEY"},
	} {
		f, err := ParseForeign(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if r, err := f.On("c"); err != nil || r.String() != test.want || f.Place != test.place || f.Scheme() != r.Scheme {
			t.Errorf("%s:\n got %s (%s), %v\nwant %s (%s)", test.text, r, f.Place, err, test.want, test.place)
		}
	}
	const needle = "hunter2"
	for _, text := range []string{
		"", needle, "arn:aws:s3:::" + needle, anARN + ":a:b:c:d", "https://x/" + needle, "https://user:" + needle + "@x/secrets/a", "https://x/secrets/a/b/c", "https://x:8443/secrets/a", "https://x/secrets/a?" + needle,
		"@Microsoft.KeyVault(SecretUri=https://x/secrets/a", "@Microsoft.KeyVault(" + needle + ")", "projects/p/" + needle, "sm://" + needle, "ref+" + needle, "ref+file://" + needle,
		"ref+vault://mykv/foo?address=https://" + needle + "#/bar", "ref+vault://mykv/foo?token_env=" + needle, "ref+awssecrets://x?role_arn=" + needle, "ref+vault://kv/a?%zz", "ref+gcpsecrets://p/s#",
		"vault:secret", "vault:secret/../x#k", "vault://c/secret/x", "vault://0/0", "vault:" + strings.Repeat("x", 3000),
	} {
		if f, err := ParseForeign(text); !errors.Is(err, ErrBad) {
			t.Errorf("%q is taken as %v, %v", text, f, err)
		} else if strings.Contains(err.Error(), needle) {
			t.Errorf("%q: the error has of it: %v", text, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"awssm://prod/a?stage=X#/b~0", "vault://hc/secret/x?version=1", "gcpsm://g/projects/p/secrets/s/versions/3", "akv://c/a?encoding=base64",
		anARN + ":k::", "https://v.vault.azure.net/secrets/a", "@Microsoft.KeyVault(VaultName=v;SecretName=s)", "ref+vault://m/p#/k", "sm://p/s#1", "vault:m/data/p#k#1",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			foreign, err := ParseForeign(text)
			if err != nil {
				return
			}
			if r, err = foreign.On("prod"); err != nil {
				t.Fatalf("%q has no form on a connection: %v", text, err)
			}
			if Looks(text) {
				t.Fatalf("%q is a reference and a foreign one", text)
			}
		}
		again, err := Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q, written as %q, is read as %q, %v", text, r, again, err)
		}
		if !ValidConnection(r.Connection) || strings.ContainsFunc(r.Path+strings.Join(r.Pointer, ""), isControl) {
			t.Fatalf("%q: connection %q, path %q, pointer %q", text, r.Connection, r.Path, r.Pointer)
		}
	})
}
