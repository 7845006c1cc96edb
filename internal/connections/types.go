// Package connections has what a vault knows of external stores: where each is, and the credentials for it, if any. A connection is an
// entry of the vault, `.stores/NAME`; docs/format.md ("Connections") specifies it, docs/stores.md says what the fields are for.
//
// Values stand in locked memory, and no error has anything of one.
package connections

import "github.com/mazevault/vault-tool/internal/references"

// Kind says how a field is asked for.
type Kind string

// The kinds.
const (
	Text     Kind = "text"
	Password Kind = "password" // not to be shown while it is typed
	URL      Kind = "url"
	Choice   Kind = "choice"
)

// Field is a field that the connections of a type have.
type Field struct {
	Key       string   `json:"key"`
	Label     string   `json:"label"`
	Kind      Kind     `json:"type"`
	Required  bool     `json:"required"`
	Sensitive bool     `json:"sensitive"`
	Help      string   `json:"help"`
	Choices   []string `json:"choices,omitempty"` // of a Choice; the first one is meant where there is none

	check func(value []byte) string // returns what is wrong with a value, or ""
}

// Type is a kind of store.
type Type struct {
	Key         string            `json:"type"`
	Label       string            `json:"name"`
	Description string            `json:"description"`
	Scheme      references.Scheme `json:"scheme"`
	Fields      []Field           `json:"fields"`

	check func(c *Connection) string // returns what is wrong with the fields together, or ""
	place string                     // the key of the field that says where the store is
}

// Keys of fields that the checks are about.
const (
	region          = "region"
	accessKeyID     = "accessKeyId"
	secretAccessKey = "secretAccessKey"
	sessionToken    = "sessionToken"
	profile         = "profile"
	vaultURL        = "vaultUrl"
	tenantID        = "tenantId"
	clientID        = "clientId"
	clientSecret    = "clientSecret"
	projectID       = "projectId"
	auth            = "auth"
	token           = "token"
	tokenFile       = "tokenFile"
	roleID          = "roleId"
	secretID        = "secretId"
	role            = "role"
	authMount       = "authMount"
)

// The ways of HashiCorp Vault to log in.
const (
	AuthToken      = "token"
	AuthAppRole    = "approle"
	AuthKubernetes = "kubernetes"
)

var description = Field{Key: "description", Label: "Description", Kind: Text, Help: "for people"}

// Types are all kinds of stores.
func Types() []*Type { return types }

var types = []*Type{
	{
		Key: "aws-sm", Label: "AWS Secrets Manager", Scheme: references.AWS, place: region, check: checkAWS,
		Description: "Without an access key: the default chain (environment, profile, SSO, IAM role)",
		Fields: []Field{
			{Key: region, Label: "Region", Kind: Text, Required: true, Help: "such as eu-west-1", check: checkRegion},
			{Key: accessKeyID, Label: "Access Key ID", Kind: Password, Sensitive: true, Help: "absent: the default chain"},
			{Key: secretAccessKey, Label: "Secret Access Key", Kind: Password, Sensitive: true, Help: "belongs to the access key"},
			{Key: sessionToken, Label: "Session Token", Kind: Password, Sensitive: true, Help: "of temporary credentials"},
			{Key: profile, Label: "Profile", Kind: Text, Help: "of ~/.aws/config, SSO too, instead of an access key"},
			{Key: "roleArn", Label: "Role ARN", Kind: Text, Help: "a role to take on with these credentials", check: checkRoleARN},
			description,
		},
	},
	{
		Key: "azure-kv", Label: "Azure Key Vault", Scheme: references.Azure, place: vaultURL, check: checkAzure,
		Description: "Without a client secret: workload identity or managed identity",
		Fields: []Field{
			{Key: vaultURL, Label: "Vault URL", Kind: URL, Required: true, Help: "https://NAME.vault.azure.net", check: checkAddress},
			{Key: tenantID, Label: "Tenant ID", Kind: Text, Help: "absent: managed identity", check: checkToken},
			{Key: clientID, Label: "Client ID", Kind: Text, Help: "of the app registration, or of a user-assigned identity", check: checkToken},
			{Key: clientSecret, Label: "Client Secret", Kind: Password, Sensitive: true, Help: "absent: workload identity or managed identity"},
			description,
		},
	},
	{
		Key: "gcp-sm", Label: "GCP Secret Manager", Scheme: references.GCP, place: projectID,
		Description: "Without a service account: application default credentials",
		Fields: []Field{
			{Key: projectID, Label: "Project ID", Kind: Text, Required: true, Help: "such as my-project-123", check: checkProject},
			{Key: "serviceAccountJson", Label: "Service Account JSON", Kind: Password, Sensitive: true, Help: "the whole key file; absent: application default credentials", check: checkJSONObject},
			description,
		},
	},
	{
		Key: "vault", Label: "HashiCorp Vault", Scheme: references.Vault, place: vaultURL, check: checkVault,
		Description: "OpenBao too. Without a token: VAULT_TOKEN, a token file, AppRole or Kubernetes",
		Fields: []Field{
			{Key: vaultURL, Label: "Vault URL", Kind: URL, Required: true, Help: "https://vault.example.com", check: checkAddress},
			{Key: token, Label: "Vault Token", Kind: Password, Sensitive: true, Help: "absent: VAULT_TOKEN, or a token file"},
			{Key: "namespace", Label: "Namespace", Kind: Text, Help: "the path of a namespace", check: checkParts},
			{Key: "kv", Label: "KV Version", Kind: Choice, Choices: []string{references.KV2, references.KV1}, Help: "of the secrets engine"},
			{Key: "mount", Label: "Mount", Kind: Text, Help: "of the engine, where its path has a '/'", check: checkParts},
			{Key: auth, Label: "Login", Kind: Choice, Choices: []string{AuthToken, AuthAppRole, AuthKubernetes}, Help: "how to get a token"},
			{Key: tokenFile, Label: "Token File", Kind: Text, Help: "absent: ~/.vault-token", check: checkFile},
			{Key: roleID, Label: "Role ID", Kind: Text, Help: "of AppRole", check: checkToken},
			{Key: secretID, Label: "Secret ID", Kind: Password, Sensitive: true, Help: "of AppRole"},
			{Key: role, Label: "Role", Kind: Text, Help: "of the Kubernetes login", check: checkToken},
			{Key: authMount, Label: "Login Mount", Kind: Text, Help: "where the login method is mounted; absent: by its own name", check: checkParts},
			description,
		},
	},
}

// TypeOf is the type with that key, or nil.
func TypeOf(key string) *Type {
	for _, t := range types {
		if t.Key == key {
			return t
		}
	}
	return nil
}

// field is the type's field with that key, or nil.
func (t *Type) field(key string) *Field {
	for i := range t.Fields {
		if t.Fields[i].Key == key {
			return &t.Fields[i]
		}
	}
	return nil
}
