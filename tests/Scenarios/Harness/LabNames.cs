namespace Scenarios.Harness;

/// <summary>
/// Names that programs in a namespace resolve, and a resolver that is silent for all others: the files of <c>/etc/netns/NAMESPACE</c>, which <c>ip netns exec</c> puts in
/// place of those of <c>/etc</c>. They go with the test.
/// </summary>
internal sealed class LabNames : IDisposable
{
    /// <summary>An address of the usual internet of a lab at which nobody is.</summary>
    public const string Nobody = "203.0.113.99";

    private const string Root = "/etc/netns";

    private readonly List<string> _directories = [];

    /// <summary>Why there are none; empty where there are.</summary>
    public static string WhyNot
    {
        get
        {
            try
            {
                Directory.CreateDirectory(Root);
                return "";
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return error.Message;
            }
        }
    }

    /// <summary>Programs that are started in the namespace from now on know these names; for all others <see cref="Nobody"/> is asked.</summary>
    public void Set(string networkNamespace, params (string Host, string Address)[] names)
    {
        string directory = Directory.CreateDirectory(Path.Combine(Root, networkNamespace)).FullName;
        _directories.Add(directory);
        File.WriteAllText(Path.Combine(directory, "hosts"), string.Concat(names.Select(name => $"{name.Address} {name.Host}\n")));
        File.WriteAllText(Path.Combine(directory, "resolv.conf"), $"nameserver {Nobody}\n");
    }

    public void Dispose()
    {
        foreach (string directory in _directories.Distinct())
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
