using System.Text;

namespace Akka.Configuration.Hocon;

/// <summary>Paths such as <c>akka.actor."a.b".c</c>.</summary>
internal static class HoconPath
{
    public static List<string> Split(string path)
    {
        if (!path.Contains('"', StringComparison.Ordinal))
        {
            return [.. path.Split('.').Select(key => key.Trim())];
        }

        var keys = new List<string>();
        var key = new StringBuilder();
        bool isQuoted = false;
        foreach (char c in path)
        {
            if (c == '"')
            {
                isQuoted = !isQuoted;
            }
            else if (c == '.' && !isQuoted)
            {
                keys.Add(key.ToString());
                key.Clear();
            }
            else
            {
                key.Append(c);
            }
        }

        keys.Add(key.ToString());
        return keys;
    }
}
