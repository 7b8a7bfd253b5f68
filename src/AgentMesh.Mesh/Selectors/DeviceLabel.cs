namespace AgentMesh.Mesh.Selectors;

/// <summary>What a device says it has or is: <c>gpu</c>, or with a value <c>zone=lab</c>. Case does not matter.</summary>
public static class DeviceLabel
{
    /// <summary>Labels of one device.</summary>
    public const int PerDeviceMax = 64;

    public const int PartLengthMax = 63;

    public const string Rule = "a label is NAME or NAME=VALUE, each of 1 to 63 letters, digits, '-', '_' or '.'";

    public static bool IsValid(string label) => FirstWrong(label) is null;

    /// <summary>Index of the first character that cannot be in a label there, its length where something is missing; null for a label.</summary>
    public static int? FirstWrong(string label)
    {
        int part = 0;
        bool hasValue = false;
        for (int at = 0; at < label.Length; at++)
        {
            if (label[at] == '=' && part > 0 && !hasValue)
            {
                hasValue = true;
                part = 0;
            }
            else if (!IsPart(label[at]) || ++part > PartLengthMax)
            {
                return at;
            }
        }

        return part == 0 ? label.Length : null;
    }

    /// <summary>A name that is asked for without a value is found with every value.</summary>
    public static bool Fits(string wanted, string label) =>
        label.StartsWith(wanted, StringComparison.OrdinalIgnoreCase) && (label.Length == wanted.Length || (label[wanted.Length] == '=' && !wanted.Contains('=', StringComparison.Ordinal)));

    private static bool IsPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';
}
