namespace AgentMesh.Journal.Tests.Postgres;

/// <summary>One server for all tests that need no server of their own; null inside where there is none.</summary>
public sealed class PostgresFixture : IDisposable
{
    private readonly Lazy<PostgresServer> _server = new(() => new PostgresServer());

    public PostgresServer Server
    {
        get
        {
            Skip.If(PostgresServer.WhyNot is not null, PostgresServer.WhyNot);
            return _server.Value;
        }
    }

    public void Dispose()
    {
        if (_server.IsValueCreated)
        {
            _server.Value.Dispose();
        }
    }
}

[CollectionDefinition(Name)]
public sealed class PostgresCollection : ICollectionFixture<PostgresFixture>
{
    public const string Name = "postgres";
}
