using System.Text.Json;

namespace AgentMesh.Protocol.Tests.Crypto;

internal static class VectorFile
{
    public static JsonElement Read(string name)
    {
        string path = Path.Combine(AppContext.BaseDirectory, "Crypto", "Vectors", name);
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(path));
        return document.RootElement.Clone();
    }

    public static byte[] Hex(this JsonElement element, string property) => Convert.FromHexString(element.GetProperty(property).GetString()!);

    public static byte[] HexOrEmpty(this JsonElement element, string property) =>
        element.TryGetProperty(property, out JsonElement value) ? Convert.FromHexString(value.GetString()!) : [];

    /// <summary>Every test of a Wycheproof file with its group.</summary>
    public static IEnumerable<(JsonElement Group, JsonElement Test, string Name)> Wycheproof(string name)
    {
        foreach (JsonElement group in Read(name).GetProperty("testGroups").EnumerateArray())
        {
            foreach (JsonElement test in group.GetProperty("tests").EnumerateArray())
            {
                yield return (group, test, $"{name} #{test.GetProperty("tcId").GetInt32()}: {test.GetProperty("comment").GetString()}");
            }
        }
    }
}
