using AgentMesh.Fuzz.Engine;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Mono.Cecil.Rocks;

namespace AgentMesh.Fuzz.Running;

/// <summary>Copies of the product's assemblies that note each block of code that runs in <see cref="Coverage.Hits"/> (docs/adr/0039).</summary>
internal static class Instrumentation
{
    private static readonly string[] Assemblies =
        ["AgentMesh.Errors", "AgentMesh.Protocol", "AgentMesh.Transport", "AgentMesh.Beacon", "AgentMesh.Remoting", "AgentMesh.Journal", "AgentMesh.Mesh", "AgentMesh.Workers", "AgentMesh.Node", "AgentMesh.Akka", "agentmesh"];

    /// <returns>The program in the copy.</returns>
    public static string Make(string from, string to)
    {
        if (Directory.Exists(to))
        {
            Directory.Delete(to, recursive: true);
        }

        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string relative = Path.GetRelativePath(from, file);
            if (!relative.StartsWith("corpus", StringComparison.Ordinal))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(to, relative))!);
                File.Copy(file, Path.Combine(to, relative));
            }
        }

        int block = 0;
        using var resolver = new DefaultAssemblyResolver();
        resolver.AddSearchDirectory(from);
        resolver.AddSearchDirectory(Path.GetDirectoryName(typeof(object).Assembly.Location)!);
        foreach (string name in Assemblies.Where(name => File.Exists(Path.Combine(from, name + ".dll"))))
        {
            Rewrite(Path.Combine(from, name + ".dll"), Path.Combine(to, name + ".dll"), resolver, ref block);
        }

        return Path.Combine(to, Path.GetFileName(typeof(Instrumentation).Assembly.Location));
    }

    private static void Rewrite(string from, string to, IAssemblyResolver resolver, ref int block)
    {
        using AssemblyDefinition assembly = AssemblyDefinition.ReadAssembly(from, new ReaderParameters { AssemblyResolver = resolver });
        FieldReference hits = assembly.MainModule.ImportReference(typeof(Coverage).GetField(nameof(Coverage.Hits)));
        foreach (MethodDefinition method in assembly.MainModule.GetTypes().SelectMany(type => type.Methods).Where(method => method.HasBody))
        {
            Rewrite(method.Body, hits, ref block);
        }

        assembly.Write(to);
    }

    private static void Rewrite(MethodBody body, FieldReference hits, ref int block)
    {
        body.SimplifyMacros();
        var starts = new HashSet<Instruction> { body.Instructions[0] };
        foreach (Instruction instruction in body.Instructions)
        {
            switch (instruction.Operand)
            {
                case Instruction target:
                    starts.Add(target);
                    break;
                case Instruction[] targets:
                    starts.UnionWith(targets);
                    break;
            }

            if (instruction.OpCode.FlowControl == FlowControl.Cond_Branch && instruction.Next is { } next)
            {
                starts.Add(next);
            }
        }

        foreach (Instruction start in starts)
        {
            // In place: branches to the start then run the note first.
            Instruction moved = Instruction.Create(OpCodes.Nop);
            (moved.OpCode, moved.Operand) = (start.OpCode, start.Operand);
            (start.OpCode, start.Operand) = (OpCodes.Ldsfld, hits);
            ILProcessor il = body.GetILProcessor();
            Instruction at = start;
            foreach (Instruction each in (Instruction[])[Instruction.Create(OpCodes.Ldc_I4, block++ % Coverage.Blocks), Instruction.Create(OpCodes.Ldc_I4_1), Instruction.Create(OpCodes.Stelem_I1), moved])
            {
                il.InsertAfter(at, each);
                at = each;
            }
        }

        body.OptimizeMacros();
    }
}
