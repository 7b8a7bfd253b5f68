namespace AgentMesh.Fuzz.Engine;

internal enum FindingKind
{
    /// <summary>The parser threw what it does not declare.</summary>
    Exception,

    /// <summary>It took more memory than the input may cost.</summary>
    Allocation,

    /// <summary>It took too long.</summary>
    Time,
}

/// <summary>An input that a parser does not bear.</summary>
internal sealed record Finding(string Target, FindingKind Kind, string What, byte[] Input);
