namespace AgentMesh.Mesh.Registry;

/// <summary>What people call a device.</summary>
public static class DeviceName
{
    public const int LengthMax = 63;

    public const string Rule = "a name has 1 to 63 letters, digits, '-', '_' or '.', and begins with a letter; 'all' is taken";

    public static bool IsValid(string name) =>
        name.Length is > 0 and <= LengthMax && char.IsAsciiLetter(name[0]) && name.All(IsPart) && !string.Equals(name, Commands.CommandLine.Everybody, StringComparison.OrdinalIgnoreCase);

    /// <summary>The nearest name to what a device calls itself.</summary>
    public static string Clean(string name)
    {
        string clean = new([.. name.Where(IsPart).SkipWhile(c => !char.IsAsciiLetter(c)).Take(LengthMax)]);
        return IsValid(clean) ? clean : "device";
    }

    private static bool IsPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';
}
