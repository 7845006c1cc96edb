package references

import (
	"net/url"
	"slices"
	"strings"
)

// Foreign is a reference in the form of another program, which says where a secret is instead of naming a connection.
type Foreign struct {
	ref Ref // without a connection

	// Place is what only a connection has, to choose it by or to compare it with: the region, the host of the vault or its name,
	// the project. It is "" where the text says nothing.
	Place string
}

// Scheme is that of the reference.
func (f Foreign) Scheme() Scheme { return f.ref.Scheme }

// On is the reference on a connection. The error wraps ErrBad.
func (f Foreign) On(connection string) (Ref, error) {
	f.ref.Connection = connection
	return Parse(f.ref.String())
}

// ParseForeign reads what consoles and other programs give people to copy: an ARN or the valueFrom of ECS, the URL of a Key Vault
// secret or an App Service reference, a resource name of GCP, references of vals, berglas and bank-vaults. The error wraps ErrBad.
func ParseForeign(text string) (Foreign, error) {
	if len(text) > maxBytes {
		return Foreign{}, bad("it has more than %d bytes", maxBytes)
	}
	if Looks(text) {
		return Foreign{}, bad("it is of the form that is our own")
	}
	var f Foreign
	err := bad("it is of no form that is known")
	for _, form := range foreignForms {
		if rest, ok := strings.CutPrefix(text, form.prefix); ok {
			f, err = form.parse(rest)
			break
		}
	}
	if err != nil {
		return Foreign{}, err
	}
	const any = "c" // a connection that exists in no vault, for what is the same on all
	if _, err := f.On(any); err != nil {
		return Foreign{}, err
	}
	return f, nil
}

// foreignForms are tried in this order.
var foreignForms = []struct {
	prefix string
	parse  func(rest string) (Foreign, error)
}{
	{"arn:", parseARN},
	{"https://", parseKeyVaultURL},
	{"@Microsoft.KeyVault(", parseAppService},
	{"projects/", parseResourceName},
	{"ref+", parseVals},
	{"sm://", parseBerglas},
	{"vault:", parseBankVaults},
}

// ecsForm is an ARN, and the JSON key, the stage and the version that ECS puts behind it.
var ecsForm = newForm(`^(` + arnPattern + `)(?::([^:]*))?(?::([^:]*))?(?::([^:]*))?$`)

func parseARN(rest string) (Foreign, error) {
	parts := ecsForm.parts("arn:" + rest)
	if parts == nil {
		return Foreign{}, bad("it is not the ARN of a secret")
	}
	r := Ref{Scheme: AWS, Path: parts[1], Stage: parts[3], Version: parts[4]}
	r.point(parts[2])
	return Foreign{r, r.arnRegion()}, nil
}

// point makes a key of the top level what the reference selects.
func (r *Ref) point(key string) {
	if key != "" {
		r.HasPointer, r.Pointer = true, []string{key}
	}
}

func parseKeyVaultURL(rest string) (Foreign, error) {
	u, err := url.Parse("https://" + rest)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Port() != "" {
		return Foreign{}, bad("it is not the URL of a Key Vault secret")
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) < 2 || len(parts) > 3 || parts[0] != "secrets" {
		return Foreign{}, bad("it is not the URL of a Key Vault secret: https://VAULT.vault.azure.net/secrets/NAME[/VERSION]")
	}
	r := Ref{Scheme: Azure, Path: parts[1]}
	if len(parts) > 2 {
		r.Version = parts[2]
	}
	return Foreign{r, strings.ToLower(u.Host)}, nil
}

func parseAppService(rest string) (Foreign, error) {
	inner, ok := strings.CutSuffix(rest, ")")
	if !ok {
		return Foreign{}, bad("the bracket of @Microsoft.KeyVault( is not closed")
	}
	fields := make(map[string]string)
	for part := range strings.SplitSeq(inner, ";") {
		name, value, _ := strings.Cut(part, "=")
		fields[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	if text, ok := strings.CutPrefix(fields["secreturi"], "https://"); ok {
		return parseKeyVaultURL(text)
	}
	return Foreign{Ref{Scheme: Azure, Path: fields["secretname"], Version: fields["secretversion"]}, strings.ToLower(fields["vaultname"])}, nil
}

func parseResourceName(rest string) (Foreign, error) {
	parts := resourceForm.parts("projects/" + rest)
	if parts == nil {
		return Foreign{}, bad("it is not the name of a secret: projects/PROJECT/secrets/NAME[/versions/VERSION]")
	}
	return inProject(parts[1], parts[2], parts[3])
}

// inProject is a reference to GCP.
func inProject(project, name, version string) (Foreign, error) {
	r := Ref{Scheme: GCP, Path: name, Project: project, Version: version}
	r.simplify()
	return Foreign{r, project}, nil
}

// parseBerglas reads sm://PROJECT/NAME[#VERSION].
func parseBerglas(rest string) (Foreign, error) {
	rest, version, _ := strings.Cut(rest, "#")
	project, name, ok := strings.Cut(rest, "/")
	if !ok {
		return Foreign{}, bad("it is not sm://PROJECT/NAME")
	}
	return inProject(project, name, version)
}

// parseBankVaults reads vault:MOUNT/data/PATH#KEY[#VERSION].
func parseBankVaults(rest string) (Foreign, error) {
	path, keys, _ := strings.Cut(rest, "#")
	key, version, _ := strings.Cut(keys, "#")
	r := Ref{Scheme: Vault, Path: strings.Trim(path, "/"), Version: version}
	r.point(key)
	return Foreign{ref: r}, nil
}

// valsOptions are the options of vals that have an equivalent here. The others belong to a connection, or have none.
var valsOptions = []string{"region", "version_stage", "version_id", "version", "namespace"}

// parseVals reads BACKEND://PATH[?OPTIONS][#/POINTER].
func parseVals(rest string) (Foreign, error) {
	backend, rest, ok := strings.Cut(rest, "://")
	if !ok {
		return Foreign{}, bad("it is not a reference of vals: ref+BACKEND://PATH")
	}
	rest, fragment, hasFragment := strings.Cut(rest, "#")
	path, query, _ := strings.Cut(rest, "?")
	path = strings.Trim(path, "/")
	options, err := url.ParseQuery(query)
	if err != nil {
		return Foreign{}, bad("its options cannot be read")
	}
	for name := range options {
		if !slices.Contains(valsOptions, name) {
			return Foreign{}, bad("an option that belongs to the connection, or has no equivalent; taken are %s", strings.Join(valsOptions, ", "))
		}
	}
	f, err := valsBackend(backend, path, options)
	if err == nil && hasFragment {
		err = f.ref.setPointer(fragment)
	}
	return f, err
}

func valsBackend(backend, path string, options url.Values) (Foreign, error) {
	switch backend {
	case "awssecrets":
		r := Ref{Scheme: AWS, Path: path, Region: options.Get("region"), Stage: options.Get("version_stage"), Version: options.Get("version_id")}
		return Foreign{r, r.RegionOr("")}, nil
	case "gcpsecrets":
		project, name, ok := strings.Cut(path, "/")
		if !ok {
			project, name = "", path
		}
		return inProject(project, name, options.Get("version"))
	case "azurekeyvault":
		vault, rest, _ := strings.Cut(path, "/")
		name, version, _ := strings.Cut(rest, "/")
		return Foreign{Ref{Scheme: Azure, Path: name, Version: version}, strings.ToLower(vault)}, nil
	case "vault", "openbao":
		return Foreign{ref: Ref{Scheme: Vault, Path: path, Version: options.Get("version"), Namespace: options.Get("namespace")}}, nil
	}
	return Foreign{}, bad("a backend of vals that there is no connection for")
}
