using AgentMesh.Journal.Postgres;
using Npgsql;
using Xunit;

namespace AgentMesh.Journal.Tests.Postgres;

public sealed class ConnectionStringTests
{
    [Theory]
    [InlineData("", GssEncryptionMode.Disable)]
    [InlineData(";GSS Encryption Mode=Prefer", GssEncryptionMode.Prefer)]
    [InlineData(";gssencryptionmode=Require", GssEncryptionMode.Require)]
    public async Task KerberosIsTriedForWhoAsksForIt(string more, GssEncryptionMode expected)
    {
        PostgresSettings settings = new() { Pool = "lab", Device = "one", ConnectionString = "Host=localhost;Username=mesh" + more };
        await using NpgsqlDataSource source = PostgresDatabase.Source(settings, "test", 1, "");
        Assert.Equal(expected, new NpgsqlConnectionStringBuilder(source.ConnectionString).GssEncryptionMode);
    }
}
