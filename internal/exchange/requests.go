package exchange

// The field that says what is asked for, and what it can say.
const (
	FieldOperation = "operation"

	// OperationAzureKey asks for a vault's passphrase: the newest version of a secret in Azure Key Vault.
	OperationAzureKey = "azure-key"

	// OperationAzureKeyBefore asks for the version directly before that one. Where there is none that may be used,
	// the answer has no fields.
	OperationAzureKeyBefore = "azure-key-before"
)

// The other fields of these requests and of their answers.
const (
	FieldVault  = "vault"  // https://NAME.vault.azure.net
	FieldSecret = "secret" // the name of the secret there
	FieldName   = "name"   // of an answer: what was read, for messages
	FieldValue  = "value"  // of an answer: the passphrase
)

// AzureKey is the request for the passphrase in a secret.
func AzureKey(vault, secret string) Record { return azureKey(OperationAzureKey, vault, secret) }

// AzureKeyBefore is the request for the version before.
func AzureKeyBefore(vault, secret string) Record {
	return azureKey(OperationAzureKeyBefore, vault, secret)
}

func azureKey(operation, vault, secret string) Record {
	return Record{{FieldOperation, []byte(operation)}, {FieldVault, []byte(vault)}, {FieldSecret, []byte(secret)}}
}
