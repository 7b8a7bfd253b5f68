using System.ComponentModel;
using AgentMesh.Errors;
using AgentMesh.Mesh.Grants;
using AgentMesh.Shim.Confine;
using AgentMesh.Shim.Format;
using AgentMesh.Workers.Attempts;
using AgentMesh.Workers.Shims;

namespace AgentMesh.Workers.Fences;

/// <summary>
/// A program that is started by the launcher of the shim, which locks itself in and becomes it. Whether it has begun is in a file of the attempt, so that a node that takes it over knows too.
/// </summary>
internal static class ConfinedProgram
{
    private const int NoSuchFile = 2, NoAccess = 13;
    private const string Temporary = "tmp", Reports = "reports";

    /// <summary>Where it tells of itself: not where the files of the attempt are.</summary>
    public static string ReportsIn(string directory) => Path.Combine(directory, Reports);

    /// <param name="directory">Of the attempt.</param>
    /// <param name="words">The program with its path, and arguments.</param>
    /// <param name="work">The directory of its own.</param>
    /// <returns>What is to be started instead.</returns>
    /// <exception cref="MeshException">AM0177: it cannot be locked in here. AM0178: it would reach what the node itself needs.</exception>
    public static IReadOnlyList<string> Prepare(
        Confinement confinement, IReadOnlyList<string> words, string directory, string work, ShimCommand shim, ExecutionTools tools, Dictionary<string, string> environment)
    {
        ProgramFence fence = tools.Fence ?? throw ProgramFence.NotConfined(tools.DeviceName, "its node was not set up for it");
        fence.CheckKernel(tools.DeviceName);
        IReadOnlyList<Place> places = fence.For(confinement, words[0], work, ReportsIn(directory));
        string file = Path.Combine(directory, ShimFiles.Confine), temporary = Path.Combine(work, Temporary);
        PrivateFolder.Create(temporary);
        environment["TMPDIR"] = temporary;
        foreach (string variable in fence.SecretVariables)
        {
            environment[variable] = "";
        }

        ShimFiles.Replace(file, ConfineFile.Text(places));
        return [shim.Program, .. shim.Arguments, Launcher.Verb, file, "--", .. words];
    }

    /// <returns>Null for a program that has begun, or was not to be locked in.</returns>
    public static MeshException? WhyNotBegun(string directory, string program, string deviceName)
    {
        string file = Path.Combine(directory, ShimFiles.Confine);
        if (!File.Exists(file) || ConfineFile.TryReadEnd(file) is not { } why)
        {
            return null;
        }

        string system = why.Errno == 0 ? "" : ": " + new Win32Exception(why.Errno).Message;
        return why.Step switch
        {
            NotBegun.Landlock or NotBegun.Seccomp or NotBegun.Privileges => ProgramFence.NotConfined(deviceName, $"{why.Step}, {why.About}{system}"),
            NotBegun.Execute => new MeshException(
                WorkerErrors.ProgramNotStarted,
                $"'{program}' cannot be started locked in{system}",
                why.Errno is NoAccess or NoSuchFile
                    ? "it, or the interpreter that it names, lies where it may not read: grant read:/PATH for that directory"
                    : "look at the program on that device"),
            NotBegun.Description => new MeshException(WorkerErrors.ShimNotStarted, $"the launcher of '{program}' does not understand its orders: {why.About}", "restart that node: its parts are of different versions"),
            _ => new MeshException(WorkerErrors.ShimNotStarted, $"the launcher that locks '{program}' in ended before the program began", "free memory on that device"),
        };
    }
}
