namespace AgentMesh.Transport.Tunnels;

/// <summary>Words that somebody else chose, such as the names in a certificate, for messages to people.</summary>
public static class ForeignText
{
    private const int CharsMax = 100;

    /// <summary>Without what controls a terminal, and not for ever.</summary>
    public static string Shown(string? text) => new([.. (text ?? "").Where(each => !char.IsControl(each)).Take(CharsMax)]);
}
