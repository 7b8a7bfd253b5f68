namespace AgentMesh.Errors;

/// <summary>
/// The one exception type for failures that a user can meet. The code is stable and has a page <c>docs/errors/CODE.md</c>;
/// nothing decides by the message text.
/// </summary>
public sealed class MeshException : Exception
{
    /// <param name="code">Stable code, for example <c>AM0107</c>.</param>
    /// <param name="message">What happened and where, with the values.</param>
    /// <param name="nextStep">What the user can do next; null where the message already says it.</param>
    public MeshException(string code, string message, string? nextStep = null, Exception? inner = null)
        : base(message, inner)
    {
        Code = code;
        NextStep = nextStep;
    }

    public string Code { get; }

    public string? NextStep { get; }
}
