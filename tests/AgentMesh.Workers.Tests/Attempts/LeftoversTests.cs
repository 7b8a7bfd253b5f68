using AgentMesh.Workers.Attempts;

namespace AgentMesh.Workers.Tests.Attempts;

public sealed class LeftoversTests : IDisposable
{
    private const int Rounds = 40;
    private const int Files = 100;

    private readonly string _root = Directory.CreateTempSubdirectory("am-leftovers-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    /// <summary>As a shim records its end: the file has another name when its turn to be removed comes. Without a second look this fails in some of the rounds.</summary>
    [Fact]
    public void A_directory_goes_though_a_file_is_renamed_in_it_meanwhile()
    {
        for (int round = 0; round < Rounds; round++)
        {
            string directory = Directory.CreateDirectory(Path.Combine(_root, $"{round}")).FullName;
            string reserved = Path.Combine(directory, "end.new");
            File.WriteAllText(reserved, "");
            string[] others = [.. Enumerable.Range(0, Files).Select(number => Path.Combine(directory, $"{number}"))];
            foreach (string file in others)
            {
                File.WriteAllText(file, "");
            }

            using var ready = new ManualResetEventSlim();
            var renaming = new Thread(() =>
            {
                ready.Set();
                while (others.Take(10).All(File.Exists))
                {
                }

                try
                {
                    File.Move(reserved, Path.Combine(directory, "end"));
                }
                catch (IOException)
                {
                    // It has gone already.
                }
            });
            renaming.Start();
            ready.Wait();
            Leftovers.Remove(directory);
            renaming.Join();
            Assert.False(Directory.Exists(directory), $"round {round}");
        }
    }
}
