using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace AgentMesh.Shim.Confine;

/// <summary>
/// <c>agentmesh-shim confine FILE -- PROGRAM ARGUMENT...</c>: becomes the program, locked in as <see cref="ConfineFile"/> says. Process, session, terminal, standard files, variables and
/// directory stay as they are. Where anything fails the program does not begin, and FILE says why.
/// </summary>
internal static class Launcher
{
    public const string Verb = "confine";

    /// <summary>Of a launcher that has not become a program; who started it reads the file.</summary>
    private const int NotBegunCode = 126;

    private const int NoExecutableFormat = 8;
    private const int CloseOnExecFlag = 4;
    private const string Shell = "/bin/sh";

    public static int Run(string[] arguments)
    {
        if (arguments is not [Verb, var path, "--", var program, .. var rest])
        {
            return NotBegunCode;
        }

        int file = Native.Open(path, Native.OpenReadWrite | Native.CloseOnExec, 0);
        if (file < 0)
        {
            return NotBegunCode;
        }

        NotBegun why;
        try
        {
            why = Become(file, ConfineFile.Read(File.ReadAllText(path)), program, rest);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or FormatException or PlatformNotSupportedException)
        {
            why = new NotBegun(NotBegun.Description, 0, error.Message);
        }

        byte[] said = ConfineFile.Failure(why.Step, why.Errno, why.About);
        KernelCalls.Call(KernelCalls.TruncateFile, file, 0, 0, 0, out _);
        KernelCalls.Call(KernelCalls.WriteAt, file, KernelCalls.Copy(said), said.Length, 0, out _);
        return NotBegunCode;
    }

    /// <returns>Why it did not.</returns>
    private static NotBegun Become(int file, IReadOnlyList<Place> places, string program, string[] arguments)
    {
        KernelSupport kernel = KernelSupport.Ask();
        if (kernel.WhyNot is { } missing)
        {
            return new NotBegun(NotBegun.Landlock, 0, missing);
        }

        int rules = Kernel.NewRules(kernel.Abi, out int errno);
        if (rules < 0)
        {
            return new NotBegun(NotBegun.Landlock, errno, "a set of rules");
        }

        foreach (Place place in places)
        {
            if ((errno = Kernel.Add(rules, kernel.Abi, place)) != 0)
            {
                return new NotBegun(NotBegun.Landlock, errno, place.Path);
            }
        }

        for (int standard = 0; standard <= 2; standard++)
        {
            Kernel.AddOpen(rules, kernel.Abi, standard);
        }

        // All that is needed afterwards is made before: from then on this process cannot read its own files.
        nint filter = Kernel.PrepareFilter(SyscallFilter.Build(RuntimeInformation.ProcessArchitecture, FilterRules.For(RuntimeInformation.ProcessArchitecture, kernel.Abi)));
        nint name = Text(program), words = Vector([name, .. arguments.Select(Text)]), variables = Vector(Variables());
        nint shell = Text(Shell), shellWords = Vector([shell, name, .. arguments.Select(Text)]);
        _ = ConfineFile.Failure(NotBegun.Execute, 0, program);
        RemoveLeavings();
        Native.TakeBrokenPipes();
        KernelCalls.Call(KernelCalls.CloseRange, 3, unchecked((nint)uint.MaxValue), CloseOnExecFlag, 0, out _);

        if ((errno = Kernel.ForbidNewPrivileges()) != 0 || (errno = Kernel.DropCapabilities()) != 0)
        {
            return new NotBegun(NotBegun.Privileges, errno, "no new privileges");
        }

        if ((errno = Kernel.Restrict(rules)) != 0)
        {
            return new NotBegun(NotBegun.Landlock, errno, "restrict");
        }

        if ((errno = Kernel.Filter(filter)) != 0)
        {
            return new NotBegun(NotBegun.Seccomp, errno, "filter");
        }

        KernelCalls.Call(KernelCalls.TruncateFile, file, 0, 0, 0, out _);
        KernelCalls.Call(KernelCalls.Execute, name, words, variables, 0, out errno);
        if (errno == NoExecutableFormat)
        {
            // A script that names no interpreter, as shells do it.
            KernelCalls.Call(KernelCalls.Execute, shell, shellWords, variables, 0, out errno);
        }

        return new NotBegun(NotBegun.Execute, errno, program);
    }

    /// <summary>What the runtime, where this is no native program, has made for debuggers and would remove at its end, which does not come.</summary>
    private static void RemoveLeavings()
    {
        string id = Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (string pattern in (string[])[$"dotnet-diagnostic-{id}-*", $"clr-debug-pipe-{id}-*"])
        {
            foreach (string left in Directory.GetFiles(Path.GetTempPath(), pattern))
            {
                File.Delete(left);
            }
        }
    }

    /// <summary>As they came, whatever their encoding.</summary>
    private static List<nint> Variables()
    {
        byte[] all = File.ReadAllBytes("/proc/self/environ");
        var found = new List<nint>();
        for (int start = 0; start < all.Length;)
        {
            int length = Array.IndexOf(all, (byte)0, start) - start;
            length = length < 0 ? all.Length - start : length;
            found.Add(KernelCalls.Copy([.. all.AsSpan(start, length), 0]));
            start += length + 1;
        }

        return found;
    }

    private static nint Text(string text) => KernelCalls.Copy(Encoding.UTF8.GetBytes(text + "\0"));

    /// <summary>Pointers with a null behind them.</summary>
    private static nint Vector(IReadOnlyList<nint> pointers)
    {
        byte[] bytes = new byte[(pointers.Count + 1) * 8];
        for (int i = 0; i < pointers.Count; i++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * 8), pointers[i]);
        }

        return KernelCalls.Copy(bytes);
    }
}
